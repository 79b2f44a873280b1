"""Imports TensorFlow without its startup messages, for the fork server."""

from keras_pruning.backend.startup import import_tensorflow

import_tensorflow()
