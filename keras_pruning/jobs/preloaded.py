"""Imports TensorFlow without its startup messages, in the fork server."""

from keras_pruning.backend.startup import import_tensorflow

import_tensorflow()
