"""The calls of layers whose weights have gradients of a closed form."""

import contextlib
from dataclasses import dataclass

import keras
import tensorflow as tf

from keras_pruning.models.layers import inner_layers


class NoClosedForm(Exception):
    """Raised if the gradients of a model have no closed form that is known to hold."""


@dataclass
class Call:
    """A call of a layer.

    Args:
        layer: Keras layer.
        forward: its method `call`.
        arguments: positional arguments of the call. The first one are the inputs of the layer.
        options: keyword arguments of the call.
        output: tensor that the layer returned, before its activation.
        weights: list of the trainable variables of the layer.
        examples: number of examples, an integer tensor.
    """

    layer: keras.Layer
    forward: callable
    arguments: tuple
    options: dict
    output: tf.Tensor
    weights: list
    examples: tf.Tensor

    @property
    def inputs(self):
        """The inputs of the layer, a tensor `(batch, ...)`."""
        return self.arguments[0]

    def again(self, values):
        """Returns the output that the layer has with other weights.

        Args:
            values: list of tuples of a variable and its value.
        """
        with keras.StatelessScope(values):
            return self.forward(*self.arguments, **self.options)


@contextlib.contextmanager
def recorded(model, kinds, tape, examples):
    """Yields a list that collects the calls of layers within the context.

    The tape watches the outputs of these calls, before the activations. It sees no gradient by the
    weights of these layers, so that any such gradient is of another use of them.

    Args:
        model: Keras model.
        kinds: classes of layers. Their subclasses are left alone.
        tape: `tf.GradientTape`.
        examples: number of examples in the batch, an integer tensor.
    """
    calls = []
    with contextlib.ExitStack() as stack:
        for layer in inner_layers(model):
            if type(layer) in kinds and layer.trainable_variables and "call" not in vars(layer):
                stack.enter_context(_recorded(layer, calls, tape, examples))
        yield calls


@contextlib.contextmanager
def _recorded(layer, calls, tape, examples):
    forward = layer.call
    activation = getattr(layer, "activation", None)
    graph = tf.compat.v1.get_default_graph()

    def call(*arguments, **options):
        weights = layer.trainable_variables
        fixed = [(weight, tf.stop_gradient(weight.value)) for weight in weights]
        with keras.StatelessScope(fixed), _without(layer, "activation"):
            output = forward(*arguments, **options)
        for tensor in (*arguments[:1], output):
            # A loop or a branch has a graph of its own, which the tape does not see.
            if (
                not isinstance(tensor, tf.Tensor)
                or tensor.graph is not graph
                or not tensor.shape.rank
            ):
                raise NoClosedForm
        if output.shape[0] is not None:
            # The same for all examples, such as the embedding of positions
            output = _for_each_example(output, examples)
            arguments = (_for_each_example(arguments[0], examples), *arguments[1:])
        tape.watch(output)
        calls.append(Call(layer, forward, arguments, options, output, weights, examples))
        return output if activation is None else activation(output)

    # Not through Keras' `__setattr__`, which would track the function as a part of the layer.
    object.__setattr__(layer, "call", call)
    try:
        yield
    finally:
        object.__delattr__(layer, "call")


@contextlib.contextmanager
def _without(layer, name):
    """Sets an attribute of a layer to `None` within the context, if there is one."""
    value = getattr(layer, name, None)
    if value is None:
        yield
        return
    object.__setattr__(layer, name, None)
    try:
        yield
    finally:
        object.__setattr__(layer, name, value)


def _for_each_example(tensor, examples):
    rest = tensor.shape[1:] if tensor.shape[0] == 1 else tensor.shape
    if None in rest:
        raise NoClosedForm
    return tf.broadcast_to(tensor, (examples, *rest))
