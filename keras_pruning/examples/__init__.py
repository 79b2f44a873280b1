"""Labelled examples with ids, labels, inputs and batches, and the sources they are loaded from."""

from keras_pruning.arguments import (
    require_boolean,
    require_label_noise,
    require_path,
    require_positive_integer,
    require_test_fraction,
)
from keras_pruning.errors import InputError, unknown
from keras_pruning.examples.examples import Examples as Examples
from keras_pruning.examples.held_out import held_out
from keras_pruning.examples.sources import SOURCES, usages

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
        **options: options of the source. `None` leaves each to the source.

    Options:
        data_dir: folder of the TFDS data sets. Defaults to the folder that TFDS uses.
        image_size: height and width in pixels that images of files and of `tfds:` are resized to.
            Defaults to their own size, which must be the same for all images.
        skip_broken: whether files of `folder:` and images of a table that cannot be read are left
            out with a warning. Defaults to an error that lists them.
        scale: number that values are multiplied by. Defaults to 1/255 for pixels that the source
            decodes, and to values as they are for all others. 1 leaves all values as they are.
        test_fraction: float in (0, 1), the fraction of all examples to test with, drawn stratified
            and always the same. For `folder:` and tables without a test part, and for `tfds:`,
            where it is drawn from `train_split`.
        train_split, test_split: splits of `tfds:`, such as `"train[:80%]"`. Default to `train` and
            to `test`, or to `validation` if there is no `test` with labels.
        label_column, id_column, split_column: names of columns of `csv:` and `parquet:`. Default to
            `label`, `id` and `split`.
        input_columns: names of the columns of inputs. Defaults to all others.
        image_column: name of a column of paths of images, which are the inputs then.

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
    options = _checked(name, source, options)
    require_label_noise(label_noise)
    examples = _loaded(name, source, location, split, options)
    if options.get("scale") is not None:
        examples = examples.with_scale(options["scale"])
    examples = examples.draw(fraction, seed)
    return examples if split == "test" else examples.with_label_noise(label_noise, seed)


def _checked(name, source, options):
    """Returns the options that have a value. Raises an `InputError` if `source` takes another."""
    known = {*_OF_EVERY_SOURCE, *(option for other in SOURCES.values() for option in other.takes)}
    for option in options:
        if option not in known:
            raise unknown("option of a source", option, sorted(known))
    options = {
        **options,
        "image_size": require_positive_integer("image_size", options.get("image_size")),
        "test_fraction": require_test_fraction(options.get("test_fraction")),
        "skip_broken": require_boolean("skip_broken", options.get("skip_broken") or False) or None,
    }
    options = {option: value for option, value in options.items() if value is not None}
    for option, value in options.items():
        if option not in (*_OF_EVERY_SOURCE, *source.takes):
            raise _not_taken(name, option, value, lambda other, key=option: key in other.takes)
    return options


def _not_taken(name, option, value, is_taken_by):
    """Returns the error of an option that a source does not take."""
    takers = [f"{kind}:" for kind, source in SOURCES.items() if is_taken_by(source)]
    return InputError(
        f"Invalid `{option}`. Expected none, except for {', '.join(takers)}. "
        f"Received: {option}={value} for {name}"
    )


def _loaded(name, source, location, split, options):
    """Returns the examples of a split, which is drawn if there is a `test_fraction`."""
    taken = {option: options[option] for option in source.takes if option in options}
    if "test_fraction" not in options:
        return source.load(location, split, **taken)
    if not source.has_whole:
        fraction = options["test_fraction"]
        raise _not_taken(name, "test_fraction", fraction, lambda other: other.has_whole)
    whole = source.load(location, None, **taken)
    return held_out(whole, options["test_fraction"], split)
