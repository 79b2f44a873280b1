"""What a process for a probe or a training run has imported before it is split off."""

from keras_pruning.backend.startup import import_tensorflow

import_tensorflow()

from keras_pruning import scores, training  # noqa: E402, F401
