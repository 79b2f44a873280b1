"""The first floats that a model makes of its inputs, by which its logits have a gradient."""

import contextlib

import tensorflow as tf
from keras import layers

from keras_pruning.backend.tensorflow.graphs import traced
from keras_pruning.models.layers import inner_layers, watched

# Layers that take numbers for categories, so that no gradient passes them.
_LOOKUPS = (
    layers.Embedding,
    layers.CategoryEncoding,
    layers.Discretization,
    layers.Hashing,
    layers.IntegerLookup,
)


class FirstFloats:
    """Gives the gradients of logits by the first floats that a model makes of its inputs.

    Arrays of floats are such floats themselves. So are other numbers that the model takes as
    floats, such as uint8 pixels: they are cast first. Tokens, strings and masks have no gradient.
    For them it is the output of the first layer that turns them into floats, such as an embedding.

    Args:
        model: Keras model that ends in logits.
        spec: structure of the `tf.TensorSpec` of a batch of inputs.
    """

    def __init__(self, model, spec):
        self._model = model
        kinds = [part.dtype for part in tf.nest.flatten(spec)]
        floats, numbers = ([test(kind) for kind in kinds] for test in (_is_float, _is_number))
        try:
            self._counts = self._inputs_with_gradient(spec, numbers)
        except Exception:  # A model of tokens may refuse floats with an error of any kind.
            if numbers == floats:
                raise
            self._counts = self._inputs_with_gradient(spec, floats)
        self._reached = self._traced(spec, self._counts)

    def exist(self):
        """Returns whether the logits have a gradient by any of them."""
        return any(self._reached)

    def are_the_input(self):
        """Returns whether they are the input of the model, in one array."""
        return self._counts == [True]

    def values(self, x):
        """Returns those that have a gradient, float32 `(batch, entries)`."""
        _, first = self._call(x, self._counts, lambda tensor: None)
        pairs = zip(first, self._reached, strict=True)
        return _side_by_side([part for part, reached in pairs if reached], x)

    def gradients(self, x, select):
        """Returns the gradient of a function of the logits by the first floats.

        Args:
            x: inputs of a batch.
            select: function from logits `(batch, classes)` to a number.

        Returns:
            Float tensor of the shape of `x` if they are the input of the model. Otherwise float32
            `(batch, entries)`, all of them side by side.
        """
        gradients = self._gradients(x, select, self._counts)
        if self.are_the_input():
            return gradients[0]
        return _side_by_side([part for part in gradients if part is not None], x)

    def _inputs_with_gradient(self, spec, counts):
        """Returns for each array of the input whether it counts as floats and has a gradient."""
        reached = iter(self._traced(spec, counts))
        return [counted and next(reached) for counted in counts]

    def _traced(self, spec, counts):
        """Returns for each of the first floats whether it has a gradient, those of inputs first.

        The graph is traced and not run.
        """
        reached = []

        def trace(x):
            gradients = self._gradients(x, tf.reduce_sum, counts)
            reached[:] = [gradient is not None for gradient in gradients]
            return tf.zeros(())

        traced(trace, spec)
        return reached

    def _gradients(self, x, select, counts):
        """Returns the gradient by each of the first floats, `None` for one without."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            logits, first = self._call(x, counts, tape.watch)
            total = select(logits)
        return tape.gradient(total, first)

    def _call(self, x, counts, watch):
        """Returns the logits and a list of the first floats, after `watch` of each of them.

        Args:
            x: inputs of a batch.
            counts: for each array of `x`, whether it counts as floats.
            watch: function of a tensor.
        """
        parts = [
            tf.cast(part, "float32") if counted and not _is_float(part.dtype) else part
            for part, counted in zip(tf.nest.flatten(x), counts, strict=True)
        ]
        first = [part for part, counted in zip(parts, counts, strict=True) if counted]
        for part in first:
            watch(part)
        with contextlib.ExitStack() as stack:
            # Floats that no gradient reaches stay without one, such as rounded numbers.
            casts = not all(_is_float(part.dtype) for part in parts)
            if not all(counts):
                for layer in inner_layers(self._model):
                    stack.enter_context(_watched(layer, watch, first, parts[0].shape[0], casts))
            return self._model(tf.nest.pack_sequence_as(x, parts), training=False), first


def _watched(layer, watch, first, batch, casts):
    """Returns a context in which the outputs of a layer join the first floats.

    Args:
        layer: layer of the model.
        watch: function of a tensor, called for each of these outputs.
        first: list of the first floats.
        batch: static number of examples in a batch, or `None`.
        casts: whether the model takes arrays that are no floats.
    """
    counts = []

    def after(arguments, output):
        inputs = [part for part in tf.nest.flatten(arguments) if tf.is_tensor(part)]
        has_floats = any(_is_float(part.dtype) for part in inputs)
        # Preprocessing layers such as Rescaling cast their inputs before their call.
        makes_floats = isinstance(layer, _LOOKUPS) or not has_floats
        makes_floats = makes_floats or (casts and not first)
        is_first = bool(inputs) and makes_floats
        # A layer inside of this one may have made the floats already.
        if len(first) > counts.pop() or not is_first:
            return
        for part in tf.nest.flatten(output):
            # Positions are the same for all examples.
            is_of_examples = tf.is_tensor(part) and part.shape.rank and part.shape[0] == batch
            if is_of_examples and part.dtype.is_floating:
                watch(part)
                first.append(part)

    return watched(layer, after, lambda: counts.append(len(first)))


def _side_by_side(parts, x):
    """Returns tensors `(batch, ...)` as one, float32 `(batch, entries)`."""
    batch = tf.shape(tf.nest.flatten(x)[0])[0]
    vectors = []
    for part in parts:
        # A dense tensor, with a static shape if there is one
        part = tf.cast(tf.convert_to_tensor(part), "float32")
        entries = part.shape[1:].num_elements()
        vectors.append(tf.reshape(part, (batch, -1 if entries is None else entries)))
    return tf.concat(vectors, axis=1)


def _is_float(dtype):
    return dtype.is_floating


def _is_number(dtype):
    return dtype != tf.string
