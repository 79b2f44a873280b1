import keras
import numpy as np
import pytest

from keras_pruning import InputError
from keras_pruning.examples.array_spec import ArraySpec
from keras_pruning.models import graph, heads, loading, networks
from keras_pruning.models.probe_layers import probe_layers

SHAPE = (32, 32, 3)


@pytest.mark.parametrize("name", networks.MODELS)
@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (32, 32, 3)])
def test_ends_in_logits(name, shape):
    model = loading.build(name, ArraySpec(shape), 7, width=4)
    assert model.output_shape == (None, 7)
    outputs = model(np.random.default_rng(0).normal(size=(20, *shape)), training=False).numpy()
    assert (outputs < 0).any()


def test_resnet18_has_the_weights_and_the_probes_of_the_paper():
    model = loading.build("resnet18", ArraySpec(SHAPE), 10)
    # torchvision's ResNet-18 has 11,689,512; less its stem and head, plus those for CIFAR.
    torchvision, moving_averages = 11_689_512, 2 * 4800
    expected = torchvision - 7 * 7 * 3 * 64 + 3 * 3 * 3 * 64 - (512 * 1000 + 1000) + 512 * 10 + 10
    assert model.count_params() == expected + moving_averages
    assert probe_layers(model) == [
        "stem",
        *[f"block{number}" for number in range(1, 9)],
    ]
    assert isinstance(model.get_layer("stem"), keras.layers.BatchNormalization)
    assert all(
        isinstance(model.get_layer(f"block{number}"), keras.layers.Add) for number in range(1, 9)
    )
    sizes = [model.get_layer(f"block{number}").output.shape[1:] for number in (1, 3, 5, 7)]
    assert sizes == [(32, 32, 64), (16, 16, 128), (8, 8, 256), (4, 4, 512)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mlp", ["hidden1", "hidden2"]), ("cnn", ["conv1_relu", "conv2_relu", "conv3_relu"])],
)
def test_probe_layers_of_the_small_models(name, expected):
    assert probe_layers(loading.build(name, ArraySpec((8, 8, 1)), 10)) == expected


def test_probe_layers_of_any_functional_model():
    inputs = keras.Input(SHAPE)
    x = keras.layers.Conv2D(4, 3, name="a")(inputs)
    x = keras.layers.MaxPooling2D()(keras.layers.ReLU(name="a_relu")(x))
    x = keras.layers.Dropout(0.1)(keras.layers.Conv2D(4, 3, activation="relu", name="b")(x))
    x = keras.layers.BatchNormalization(name="b_norm")(x)
    x = keras.layers.Dense(5, name="c")(keras.layers.Flatten()(x))
    model = keras.Model(inputs, keras.layers.Dense(3, name="logits")(x))
    assert probe_layers(model) == ["a_relu", "b_norm", "c"]


def test_normalizations_and_activations_have_no_layer_vote():
    layers = [keras.layers.Dense(4, name="a"), keras.layers.LayerNormalization()]
    layers += [keras.layers.ReLU(name="a_relu"), keras.layers.Dense(4, name="b")]
    layers += [keras.layers.PReLU(name="b_prelu"), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((5,)), *layers])
    assert probe_layers(model) == ["a_relu", "b_prelu"]


def test_probe_layers_of_a_residual_model_of_anothers():
    inputs = keras.Input((6,))
    stem = keras.layers.Dense(8, activation="relu", name="first")(inputs)
    branch = keras.layers.Dense(8, name="branch")(stem)
    merged = keras.layers.Add(name="merge")([stem, branch])
    model = keras.Model(inputs, keras.layers.Dense(3)(merged))
    assert probe_layers(model) == ["first", "merge"]


def test_layer_votes_of_a_residual_model_without_merge_layers():
    inputs = keras.Input((6,))
    first = keras.layers.Dense(8, name="first")(keras.layers.Dense(8, name="zeroth")(inputs))
    added = first + keras.layers.Dense(8, name="branch")(first)
    shifted = added + 1.0  # no merge
    joined = keras.ops.concatenate([shifted, first], axis=-1)
    model = keras.Model(inputs, keras.layers.Dense(3)(joined))
    merges = [tensor._keras_history.operation.name for tensor in (added, joined)]
    assert probe_layers(model) == ["first", *merges]


def test_probe_layers_of_models_inside():
    twice = keras.Sequential([keras.layers.Dense(6, name="a")], name="twice")
    inner = [keras.layers.Dense(6, name="a"), keras.layers.ReLU(name="a_relu")]
    inner = keras.Sequential([keras.layers.Normalization(), *inner], name="inner")
    once = keras.Sequential([inner, keras.layers.Dense(6, name="c")], name="once")
    inputs = keras.Input((6,))
    x = keras.layers.Normalization()(inputs)
    x = twice(keras.layers.Dense(6, name="b")(twice(once(x))))
    model = keras.Model(inputs, keras.layers.Dense(3)(x))
    assert probe_layers(model) == ["once/inner/a_relu", "once/c", "b"]


def test_the_stem_of_a_residual_model_inside_is_in_it():
    inputs = keras.Input((6,))
    stem = keras.layers.Dense(6, name="stem")(inputs)
    merged = keras.layers.Add(name="merge")([stem, keras.layers.Dense(6, name="branch")(stem)])
    inside = keras.Model(inputs, merged, name="inside")
    around = [keras.layers.Dense(6, name="before"), inside, keras.layers.Dense(6, name="stem")]
    model = keras.Sequential([keras.Input((6,)), *around, keras.layers.Dense(3)])
    assert probe_layers(model) == ["inside/stem", "inside/merge"]


def test_a_models_own_function_and_file(tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text(
        "import keras\n"
        "def net(shape, classes, width=3):\n"
        "    layers = [keras.Input(shape), keras.layers.Flatten()]\n"
        "    layers += [keras.layers.Dense(width), keras.layers.Dense(classes)]\n"
        "    return keras.Sequential(layers)\n"
        "def broken(shape, classes):\n"
        "    return keras.Sequential([keras.Input(shape), keras.layers.Dense(classes)])\n"
        "def failing(shape, classes):\n"
        "    raise RuntimeError('mine')\n"
        "def nothing(shape, classes):\n"
        "    return None\n"
    )
    monkeypatch.chdir(tmp_path)
    model = loading.build("my_models:net", ArraySpec((4, 4, 1)), 5, width=6)
    assert model.layers[-2].units == 6
    model.save(tmp_path / "own.keras")
    built = loading.build("own.keras", ArraySpec((4, 4, 1)), 5)
    assert built.count_params() == model.count_params()
    assert not np.array_equal(built.weights[0], model.weights[0])  # the architecture, new weights
    for name, message in [
        ("my_models:broken", r"does not fit.*\(None, 5\).*Received: \(None, 4, 4, 5\)"),
        ("my_models:nothing", "Expected a Keras model. Received: NoneType"),
        ("my_models:failing", r"Cannot build the model.*RuntimeError: mine \(.*my_models.py:\d+\)"),
        (":net", "Unknown model"),
        ("my_models:absent", "Cannot import the model.*my_models:absent"),
        ("no_such_module:net", "Cannot import the model"),
        ("no_such_model", "Unknown model. Expected one of .*resnet18.*Received: 'no_such_model'"),
        ("absent.keras", "Missing model file"),
    ]:
        with pytest.raises(InputError, match=message):
            loading.build(name, ArraySpec((4, 4, 1)), 5)
    with pytest.raises(InputError, match=r"does not fit.*\(None, 6\).*\(None, 5\)"):
        loading.build("own.keras", ArraySpec((4, 4, 1)), 6)
    with pytest.raises(InputError, match="does not accept examples"):
        loading.build("own.keras", ArraySpec((5, 5, 1)), 5)


def test_refuses_options_and_inputs_that_do_not_fit():
    with pytest.raises(InputError, match="Cannot build the model 'cnn'.*depth"):
        loading.build("cnn", ArraySpec((8, 8, 1)), 10, depth=3)
    with pytest.raises(InputError, match=r"Expected examples of shape \(height, width, channels\)"):
        loading.build("cnn", ArraySpec((64,)), 10)


@pytest.mark.parametrize("name", ["cnn", "plain_cnn", "resnet18"])
def test_networks_for_images_refuse_channels_first(name):
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(InputError, match="Expected image_data_format channels_last.*Received"):
            loading.build(name, ArraySpec((3, 32, 32)), 10)
    finally:
        keras.config.set_image_data_format("channels_last")


def test_layer_outputs_belong_to_this_model():
    """Layers that stand in two models have two outputs, one for each model."""
    dense = keras.layers.Dense(3, name="shared")
    models_with_it = [keras.Sequential([keras.Input((4,)), dense]) for _ in range(2)]
    for model in models_with_it:
        (output,) = graph.layer_outputs(model)["shared"]
        assert output is model.outputs[0]


class Remembers(keras.Model):
    def __init__(self):
        super().__init__()
        self.activation, self.dense = keras.activations.softmax, keras.layers.Dense(3)

    def call(self, x):
        return self.activation(self.dense(x))


def test_a_softmax_in_the_graph_of_a_model_inside_is_left_out():
    inside = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Softmax()])
    model = keras.Sequential([keras.Input((4,)), inside])
    x = np.random.default_rng(0).normal(size=(5, 4))
    expected = inside.layers[0](x)
    np.testing.assert_array_equal(heads.as_logits(model)(x), expected)
    hidden = keras.Sequential([keras.Input((4,)), Remembers()])
    model = keras.Sequential([keras.Input((4,)), hidden])
    assert heads.as_logits(model) is model
