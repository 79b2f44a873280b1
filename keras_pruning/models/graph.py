"""The graph of a functional model: its inputs, its layers and their outputs."""

import keras
from keras import layers

from keras_pruning.examples.array_spec import mapped


def shows_layers(model):
    """Returns whether a call of the model computes exactly the graph of layers that it shows."""
    if not getattr(model, "outputs", None):
        return False
    # A functional model of a user's class may compute more in a `call` of its own.
    caller = next(kind for kind in type(model).__mro__ if "call" in vars(kind))
    return is_keras(caller)


def inputs_of(model):
    """Returns the symbolic inputs of a functional or sequential model in the structure it takes."""
    structure = model.inputs if isinstance(model, keras.Sequential) else model.input
    # Keras warns if a list of one is called with its tensor.
    is_single = isinstance(structure, list | tuple) and len(structure) == 1
    return structure[0] if is_single else structure


def is_plain_dense(layer):
    """Returns whether a layer is a product with its kernel, a bias and an activation, and no more.

    A subclass of `Dense` may compute anything else in a `call` of its own. A quantized layer or one
    with LoRA has further weights.
    """
    return (
        calls_as(layer, layers.Dense)
        and type(layer).kernel is layers.Dense.kernel
        and not layer.lora_enabled
        and layer.quantization_mode is None
    )


def calls_as(layer, kind):
    """Returns whether a layer is of a class of Keras, or of a subclass with the same `call`."""
    return isinstance(layer, kind) and type(layer).call is kind.call and "call" not in vars(layer)


def is_keras(kind):
    """Returns whether a class is one of Keras itself."""
    return kind.__module__.partition(".")[0] == "keras"


def layer_outputs(model):
    """Returns the symbolic outputs of every layer in the graph of a functional or sequential model.

    `layer.output` would be the output in the first graph that the layer was ever part of.

    Returns:
        Dictionary from layer name to a list of symbolic tensors, several if the layer is called
        more than once.
    """
    # Walk from the outputs to the inputs, and visit each tensor once.
    outputs, queue = {}, list(model.outputs)
    while queue:
        tensor = queue.pop()
        operation, inputs = made_by(tensor)
        known = outputs.setdefault(operation.name, [])
        if not any(tensor is other for other in known):
            known.append(tensor)
            queue.extend(inputs)
    return outputs


def made_by(tensor):
    """Returns the operation that made a symbolic tensor, and the tensors that it was made from."""
    operation, node, _ = tensor._keras_history
    return operation, operation._inbound_nodes[node].input_tensors


def functional_copy(model, spec):
    """Returns a functional model over the same layers and weights as `model`.

    Args:
        model: Keras model.
        spec: `ArraySpec` of the examples or a structure of them, for models without a graph.
    """
    if shows_layers(model):
        return keras.Model(inputs_of(model), model.outputs)
    inputs = mapped(lambda part: keras.Input(part.shape, dtype=part.dtype), spec)
    return keras.Model(inputs, model(inputs))
