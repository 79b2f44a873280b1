"""Keras models: networks, loading, graph surgery, the outputs of layers and of the whole model."""
