"""Loads examples again from the provenance in a result, without a config."""

from keras_pruning.errors import InputError
from keras_pruning.examples import load_examples
from keras_pruning.examples.sources import SOURCES


def reopened(provenance, data_dir=None):
    """Returns the examples that a provenance describes, if it says where they are.

    `digits` and data sets of `tfds:` in the folder of TFDS can be found by their name. Options such
    as `image_size` are not recorded: `Examples.keep` notices if they were others.

    Args:
        provenance: the `examples` of a subset or of a score table.
        data_dir: folder of the TFDS data sets. Defaults to the folder that TFDS uses.

    Raises:
        InputError: if the source cannot be found by its name, or as `load_examples` does.
    """
    source = str(provenance.get("source"))
    kind, _, location = source.partition(":")
    if kind not in SOURCES or (SOURCES[kind].location is None) == bool(location):
        raise InputError(
            "The subset does not say where its examples are. Expected --config CONFIG, the config "
            "that they were scored with, or --dataset.name. Received: none, for examples of the "
            f"source {source!r}. In Python, `kp.export(examples.keep(subset), ...)` needs neither."
        )
    # 1 stands for values as they are.
    options = {"scale": provenance.get("scale") or 1, "data_dir": data_dir}
    examples = load_examples(source, provenance.get("split", "train"), **options)
    examples = examples.draw(provenance.get("fraction", 1.0), provenance.get("seed", 0))
    noise = provenance.get("label_noise", 0.0), provenance.get("label_noise_seed", 0)
    return examples.with_label_noise(*noise)
