"""Models that are built by name."""

import pytest

from keras_pruning import InputError
from keras_pruning.examples.array_spec import ArraySpec
from keras_pruning.models import loading


@pytest.mark.parametrize(
    "spec",
    [
        ArraySpec((), "string"),
        {"price": ArraySpec((), "float32"), "note": ArraySpec((), "string")},
        (ArraySpec((2,), "float32"), ArraySpec((3,), "float32")),
    ],
)
def test_built_in_models_take_one_array_of_numbers(spec):
    with pytest.raises(InputError, match="'mlp' does not fit.*`dataset.input_columns`"):
        loading.build("mlp", spec, 3)
