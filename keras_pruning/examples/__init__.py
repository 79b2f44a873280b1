"""Labelled examples with ids, labels, inputs and batches, and the sources they are loaded from."""

from keras_pruning.arguments import require_label_noise, require_path
from keras_pruning.errors import InputError, unknown
from keras_pruning.examples.examples import Examples as Examples
from keras_pruning.examples.held_out import held_out
from keras_pruning.examples.sources import SOURCES, usages
from keras_pruning.examples.sources.options import LoadOptions

SPLITS = ("train", "test")
# Options of every source. The folder of TFDS may stand in the config of any.
_OF_EVERY_SOURCE = ("scale", "test_fraction", "data_dir")


def load_examples(name, split="train", fraction=1.0, seed=0, label_noise=0.0, **options):
    """Loads the labelled examples of one split.

    Args:
        name: a source of `keras_pruning.examples.sources.SOURCES`, for example `"digits"`,
            `"npz:FILE"` or `"tfds:NAME"`.
        split: `"train"` or `"test"`.
        fraction: float in (0, 1], the fraction of the examples to draw, stratified, before anything
            else. The drawn examples keep their ids.
        seed: integer >= 0, the seed of that draw and of the label noise.
        label_noise: float in [0, 1), the fraction of the drawn labels to replace by other classes,
            as in `Examples.with_label_noise`. The labels of the test split never change.
        **options: `LoadOptions` of the source: `data_dir`, `image_size`, `scale`, `test_fraction`,
            `label_column`, `id_column`, `split_column`, `input_columns`.

    Returns:
        `Examples`.

    Raises:
        InputError: if the source or the split does not exist or cannot be used, or if an argument
            is invalid.
    """
    # Check all arguments before the source is read.
    require_path("name", name, "the name of a source, such as 'digits' or 'npz:FILE'")
    kind, _, location = str(name).partition(":")
    source = SOURCES.get(kind)
    if source is None or (source.location is None) == bool(location):
        raise unknown("data set", name, usages())
    if split not in SPLITS:
        raise InputError(f"Invalid `split`. Expected one of {SPLITS}. Received: split={split!r}")
    options = LoadOptions.of(options)
    for option in options.chosen():
        if option not in (*_OF_EVERY_SOURCE, *source.takes):
            takers = [f"{kind}:" for kind, other in SOURCES.items() if option in other.takes]
            raise InputError(
                f"Invalid `{option}`. Expected none, except for {' and '.join(takers)}. "
                f"Received: {option}={getattr(options, option)} for {name}"
            )
    require_label_noise(label_noise)
    examples = _loaded(name, source, location, split, options)
    if options.scale is not None:
        examples = examples.with_scale(options.scale)
    examples = examples.draw(fraction, seed)
    return examples if split == "test" else examples.with_label_noise(label_noise, seed)


def _loaded(name, source, location, split, options):
    """Returns the examples of a split, which is drawn if there is a `test_fraction`."""
    taken = {option: getattr(options, option) for option in source.takes}
    if options.test_fraction is None:
        return source.load(location, split, **taken)
    if not source.has_whole:
        takers = [f"{kind}:" for kind, other in SOURCES.items() if other.has_whole]
        raise InputError(
            f"Invalid `test_fraction`. Expected none, except for {', '.join(takers)}, which may "
            f"have no test split. Received: test_fraction={options.test_fraction} for {name}"
        )
    whole = source.load(location, None, **taken)
    return held_out(whole, options.test_fraction, split)
