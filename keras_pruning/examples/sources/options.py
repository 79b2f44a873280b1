"""Options of sources, which `load_examples` and the section `dataset` of a config have."""

import numbers
from dataclasses import dataclass, fields

from keras_pruning.arguments import require_positive_integer
from keras_pruning.errors import InputError, unknown


@dataclass(frozen=True)
class LoadOptions:
    """Options of a source. `None` leaves each to the source.

    Args:
        data_dir: folder of the TFDS data sets. Defaults to the folder that TFDS uses.
        image_size: height and width in pixels that images of `folder:` and `tfds:` are resized to.
            Defaults to their own size, which must be the same for all images.
        scale: number that values are multiplied by. Defaults to 1/255 for pixels that the source
            decodes, and to values as they are for all others. 1 leaves all values as they are.
        test_fraction: float in (0, 1), the fraction of all examples to test with, drawn stratified
            and always the same. For sources that have no test split.
        label_column, id_column, split_column: names of columns of `csv:` and `parquet:`. Default to
            `label`, `id` and `split`.
        input_columns: names of the columns of inputs. Defaults to all others.
    """

    data_dir: str | None = None
    image_size: int | None = None
    scale: float | None = None
    test_fraction: float | None = None
    label_column: str | None = None
    id_column: str | None = None
    split_column: str | None = None
    input_columns: list | None = None

    @classmethod
    def of(cls, options):
        """Returns the options in a dictionary. Raises an `InputError` for an unknown name."""
        names = [field.name for field in fields(cls)]
        for name in options:
            if name not in names:
                raise unknown("option of a source", name, names)
        return cls(**options)

    def __post_init__(self):
        require_positive_integer("image_size", self.image_size)
        fraction = self.test_fraction
        is_number = isinstance(fraction, numbers.Real) and not isinstance(fraction, bool)
        if fraction is not None and not (is_number and 0 < fraction < 1):
            raise InputError(
                "Invalid `test_fraction`. Expected a float in (0, 1). "
                f"Received: test_fraction={fraction!r}"
            )

    def chosen(self):
        """Returns the names of the options that have a value."""
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]
