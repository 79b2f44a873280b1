"""The architecture of an own model as built, as recipes hold it."""

import json

import keras
import pytest

from keras_pruning import InputError
from keras_pruning.config import ModelConfig
from keras_pruning.examples.array_spec import ArraySpec
from keras_pruning.models import architecture, as_built

NET = """
import json, pathlib
import keras
from keras import layers
def net(shape, classes, width=4):
    settings = json.loads(pathlib.Path("settings.json").read_text())
    inputs = keras.Input(shape)
    x = layers.Dense(settings["units"], activation=settings["activation"])(inputs)
    x = layers.Dropout(settings["rate"])(x)
    y = layers.Dense(settings["units"])(x)
    frozen = layers.Dense(width, trainable=settings["trainable"])
    x = frozen(y + x if settings["skip"] else y)
    model = keras.Model(inputs, layers.Dense(classes)(layers.Lambda(lambda x: x)(x)))
    model.layers[1].kernel.assign(settings["scale"] * model.layers[1].kernel)
    return model
class Own(keras.Model):
    def __init__(self, odd):
        super().__init__()
        self.odd, self.out = odd, layers.Dense(3)
    def call(self, x):
        return self.out(x)
def own(shape, classes):
    return Own(object())
"""
SETTINGS = {
    "units": 5,
    "activation": "relu",
    "rate": 0.5,
    "trainable": True,
    "skip": False,
    "scale": 1.0,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "net_as_built.py").write_text(NET)
    (tmp_path / "settings.json").write_text(json.dumps(SETTINGS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def digest(folder, name="net_as_built:net", **options):
    keras.utils.clear_session()
    return as_built.digest(name, ArraySpec((6,)), 3, options, folder)


@pytest.mark.parametrize(
    "change",
    [
        {"units": 6},
        {"activation": "tanh"},
        {"rate": 0.1},
        {"trainable": False},
        {"skip": True},
        {"scale": 2.0},
    ],
)
def test_a_file_that_the_function_reads_changes_the_digest(change, folder):
    before = digest(folder)
    assert before == digest(folder)
    (folder / "settings.json").write_text(json.dumps({**SETTINGS, **change}))
    assert digest(folder) != before


@pytest.mark.slow
def test_options_and_classes_change_the_digest(folder):
    assert digest(folder) != digest(folder, width=5)
    assert digest(folder) != digest(folder, "net_as_built:own")


def test_a_model_that_holds_other_objects_repeats(folder):
    assert digest(folder, "net_as_built:own") == digest(folder, "net_as_built:own")


@pytest.mark.slow
def test_two_processes_give_one_digest(folder):
    """The child works in the folder of the command, and says what is wrong with a model."""
    model = ModelConfig("net_as_built:net")
    first, second = (architecture.architecture(model, ArraySpec((6,)), 3, 1) for _ in range(2))
    assert first == second and len(first) == 32
    with pytest.raises(InputError, match="Cannot build the model.*KeyError"):
        (folder / "settings.json").write_text("{}")
        architecture.architecture(model, ArraySpec((6,)), 3, 1)


@pytest.mark.parametrize("name", ["cnn", "path:with/colon.keras"])
def test_other_models_are_not_built(name, folder):
    assert architecture.architecture(ModelConfig(name), ArraySpec((6,)), 3, 1) is None
