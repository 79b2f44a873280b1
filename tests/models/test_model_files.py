"""Files of models: the state that stays, damage and size."""

import shutil
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from keras_pruning import InputError
from keras_pruning.examples.array_spec import ArraySpec
from keras_pruning.models import loading, model_files

X = np.random.default_rng(0).normal(5, 3, (40, 6)).astype("float32")


def with_everything(path):
    """Saves a model with adapted, frozen and trainable parts, all moved from where they began."""
    keras.utils.set_random_seed(0)
    normalization = layers.Normalization(name="scale")
    normalization.adapt(X)
    inner = [layers.Dense(5, name="frozen"), layers.BatchNormalization(name="frozen_norm")]
    base = keras.Sequential([keras.Input((6,)), *inner], name="base")
    stack = [layers.Dense(4, name="new"), layers.BatchNormalization(scale=False, name="norm")]
    stack += [layers.Dropout(0.5, name="drop"), layers.Dense(3, name="logits")]
    model = keras.Sequential([keras.Input((6,)), normalization, base, *stack])
    base.trainable = False
    for weight in model.weights:
        if "scale/" not in weight.path:
            weight.assign(weight + 0.5)
    model.save(path)
    return model


def weights_by_name(model):
    return {
        f"{layer.name}/{weight.name}": weight.numpy()
        for layer in model._flatten_layers()
        for weight in [*layer._trainable_variables, *layer._non_trainable_variables]
    }


def test_a_file_gives_new_weights_and_keeps_other_state(tmp_path):
    before = weights_by_name(with_everything(tmp_path / "model.keras"))
    keras.utils.set_random_seed(1)
    model = loading.build(str(tmp_path / "model.keras"), ArraySpec((6,)), 3)
    after = weights_by_name(model)
    assert before.keys() == after.keys()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    new = {name for name in before if name.split("/")[0] in ("new", "norm", "logits")}
    assert changed == new and len(new) == 7 and len(before) == 16
    np.testing.assert_array_equal(after["norm/moving_mean"], np.zeros(4))
    np.testing.assert_array_equal(after["new/bias"], np.zeros(4))
    np.testing.assert_allclose(
        model.get_layer("scale")(X), (X - X.mean(axis=0)) / X.std(axis=0), atol=1e-4
    )


def test_new_weights_are_those_of_the_seed(tmp_path):
    """Initial weights and dropout follow the seed, and never the file."""
    with_everything(tmp_path / "model.keras")
    states = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        model = loading.build(str(tmp_path / "model.keras"), ArraySpec((6,)), 3)
        (drop,) = model.get_layer("drop")._seed_generators
        states.append([drop.state.numpy(), model.get_layer("new").kernel.numpy()])
    for first, second, other in zip(*states, strict=True):
        np.testing.assert_array_equal(first, second)
        assert not np.array_equal(first, other)


def test_vocabularies_and_boundaries_stay(tmp_path):
    words = layers.TextVectorization(output_sequence_length=4)
    words.adapt(["b c", "a b"])
    inputs = keras.Input((1,), dtype="string")
    pooled = layers.GlobalAveragePooling1D()(layers.Embedding(9, 4)(words(inputs)))
    keras.Model(inputs, layers.Dense(2)(pooled)).save(tmp_path / "text.keras")
    loaded = loading.load(tmp_path / "text.keras")
    before = loaded.get_weights()
    model = loading._with_new_weights(loaded, (1,))
    (restored,) = [part for part in model.layers if isinstance(part, layers.TextVectorization)]
    assert restored.get_vocabulary() == words.get_vocabulary()
    assert not np.array_equal(model.get_weights()[0], before[0])
    bins = layers.Discretization(num_bins=4)
    bins.adapt(X)
    stack = [bins, layers.Embedding(9, 4), layers.Flatten(), layers.Dense(3)]
    keras.Sequential([keras.Input((6,)), *stack]).save(tmp_path / "bins.keras")
    model = loading.build(str(tmp_path / "bins.keras"), ArraySpec((6,)), 3)
    np.testing.assert_allclose(model.layers[0].bin_boundaries, bins.bin_boundaries)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.keras"
    keras.utils.set_random_seed(0)
    keras.Sequential([keras.Input((3,)), layers.Dense(2)]).save(path)
    return path


def silent_flips(saved, folder, flips):
    """Returns how many of the flipped bits give other weights without an error."""
    content, expected = saved.read_bytes(), loading.load(saved).get_weights()
    path, silent, refused = folder / "flipped.keras", 0, 0
    for position in np.random.default_rng(0).choice(8 * len(content), flips, replace=False):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << (position % 8)
        path.write_bytes(damaged)
        try:
            weights = loading.load(path).get_weights()
        except InputError as error:
            assert "Cannot load the model" in str(error) or "too large" in str(error)
            refused += 1
            continue
        assert len(weights) == len(expected) == 2
        silent += not all(map(np.array_equal, weights, expected))
    assert refused > 0.8 * flips
    return silent


def test_no_flipped_bit_gives_other_weights(saved, tmp_path):
    assert silent_flips(saved, tmp_path, 60) == 0


@pytest.mark.slow
def test_no_flipped_bit_of_a_thousand_gives_other_weights(saved, tmp_path):
    assert silent_flips(saved, tmp_path, 1000) == 0


def test_a_flipped_weight_is_refused_by_its_checksum(saved, tmp_path):
    content = bytearray(saved.read_bytes())
    kernel = loading.load(saved).get_weights()[0].tobytes()
    content[content.index(kernel) + 2] ^= 1
    (tmp_path / "flipped.keras").write_bytes(content)
    message = "Expected a .keras file. Received: a file that is damaged.*model.weights.h5.*again"
    with pytest.raises(InputError, match=message):
        loading.load(tmp_path / "flipped.keras")


def test_a_file_cut_short_is_refused(saved, tmp_path):
    (tmp_path / "short.keras").write_bytes(saved.read_bytes()[:-40])
    with pytest.raises(InputError, match="Received: a file that is damaged or has another format"):
        loading.load(tmp_path / "short.keras")


@pytest.mark.parametrize(
    ("name", "size"), [("config.json", 2**20 + 1), ("model.weights.h5", 30 * 2**20)]
)
def test_a_file_that_unpacks_to_too_much_is_refused(name, size, saved, tmp_path, monkeypatch):
    """Refused by the headers: nothing is unpacked."""
    monkeypatch.setattr(model_files, "LARGEST_CONFIG", 2**20)
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, bytes(size))
    monkeypatch.setattr(zipfile.ZipFile, "testzip", None)
    with pytest.raises(InputError, match=f"too large when unpacked. Expected.*Received: {size:,}"):
        loading.load(path)


def test_a_whole_copy_loads(saved, tmp_path):
    shutil.copy(saved, tmp_path / "copy.keras")
    assert len(loading.load(tmp_path / "copy.keras").weights) == 2


@keras.saving.register_keras_serializable("tests")
class OwnStatistics(keras.layers.Layer):
    """A trainable layer that gathers a statistic while it trains."""

    def build(self, shape):
        self.mean = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False)
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return self.scale * (x - self.mean)


def test_statistics_of_a_layer_of_ones_own_start_anew(tmp_path):
    model = keras.Sequential([keras.Input((4,)), OwnStatistics(), keras.layers.Dense(2)])
    model.layers[0].mean.assign([5.0] * 4)
    model.save(tmp_path / "own.keras")
    fresh = loading.build(str(tmp_path / "own.keras"), ArraySpec((4,)), 2)
    np.testing.assert_array_equal(fresh.layers[0].mean, [0] * 4)
