"""Requests for embeddings: which layer of which model, and how its vectors are reduced."""

from dataclasses import dataclass

# No layer can have these names.
INPUT, OUTPUT, SOFTMAX = "<input>", "<output>", "<softmax>"


@dataclass(frozen=True)
class Embedding:
    """A request for one vector per example: a layer, its source and its reduction.

    Args:
        layer: name of a layer as in `keras_pruning.models.layers.layer_names`, or `INPUT` (the
            example itself), `PENULTIMATE` (the input of the last dense layer), `OUTPUT` (the
            output of the model) or `SOFTMAX` (the softmax of the output).
        max_dimension: number of dimensions to which `random_projection` reduces a wider layer.
            `None` leaves every layer exact.
        seed: integer, the seed of that projection.
        source: path of the `.keras` model that the layer belongs to, or of a `.npy` file whose rows
            are the vectors, with `OUTPUT` as the layer. Defaults to the scored model.
    """

    layer: str
    max_dimension: int | None = None
    seed: int = 0
    source: str | None = None
