"""Data sets that TFDS has to prepare first, cannot have, or only pretends to have."""

import time

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_pruning import InputError, load_examples


def stored(examples):
    return examples.stored_inputs(np.arange(len(examples)))


class Pairs(tfds.core.GeneratorBasedBuilder):
    """Two images and two labels; the data set says which belong together."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        image = tfds.features.Image(shape=(2, 2, 1))
        coarse, fine = (tfds.features.ClassLabel(num_classes=count) for count in (2, 4))
        features = {"a_mask": image, "b_image": image, "coarse": coarse, "fine": fine}
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("b_image", "fine"),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for row in range(4):
            mask, image = (np.full((2, 2, 1), value, "uint8") for value in (255, row))
            yield row, {"a_mask": mask, "b_image": image, "coarse": row // 2, "fine": row}


class Refused(Pairs):
    """A data set whose files nobody serves."""

    def _split_generators(self, dl_manager):
        dl_manager.download("http://localhost:9/images.zip")


def test_prepares_a_data_set_and_takes_its_supervised_features(tmp_path, capfd, caplog):
    examples = load_examples("tfds:pairs", data_dir=str(tmp_path))
    assert stored(examples)[:, 0, 0, 0].tolist() == examples.labels.tolist()
    assert sorted(examples.labels) == [0, 1, 2, 3]
    assert examples.num_classes == 4
    written = capfd.readouterr()
    assert written.out == ""
    # TensorFlow's own first lines may stand there, in C++ and out of reach.
    assert not [word for word in ("Generating", "pairs") if word in written.err]
    assert not caplog.records


def test_a_failing_download_ends_soon_with_one_message(tmp_path, capfd, caplog):
    start = time.perf_counter()
    with pytest.raises(InputError) as caught:
        load_examples("tfds:refused", data_dir=str(tmp_path))
    assert time.perf_counter() - start < 10
    message = str(caught.value)
    assert message.startswith("Cannot load the TFDS data set 'refused'. Expected a data set")
    for part in (str(tmp_path), "ConnectionError", "localhost", "tfds build", "dataset.data_dir"):
        assert part in message
    assert "\n" not in message
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no_such_data", "DatasetNotFoundError: Dataset no_such_data not found"),
        ("mnist:9.9.9", "cannot be loaded at version 9.9.9"),
        ("two words", "Parsing builder name string two words failed"),
        ("imagenet2012", "Manual directory .* does not exist or is empty"),
        ("nobody:images", "Namespace nobody not found"),
    ],
)
def test_names_a_data_set_that_cannot_be_prepared(tmp_path, name, reason):
    with pytest.raises(InputError, match=rf"data set '{name}'.*{tmp_path}.*{reason}.*tfds build"):
        load_examples(f"tfds:{name}", data_dir=str(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cifar10", "svhn_cropped"])
def test_mock_data(cache, name):
    for count in (20, 30):
        with tfds.testing.mock_data(num_examples=count):
            train, test = (load_examples(f"tfds:{name}", split) for split in ("train", "test"))
            # A mock draws other numbers when all features are decoded.
            only = tfds.decode.PartialDecoding({"image": True, "label": True})
            expected = list(tfds.as_numpy(tfds.load(name, split="train", decoders=only)))
        assert train.ids.tolist() == [
            f"{name}-train.tfrecord-00000-of-00001__{row}" for row in range(count)
        ]
        assert test.ids[0] == f"{name}-test.tfrecord-00000-of-00001__0"
        np.testing.assert_array_equal(stored(train), [example["image"] for example in expected])
        assert train.labels.tolist() == [example["label"] for example in expected]
        assert (train.shape, train.num_classes) == ((32, 32, 3), 10)
    # Without files nothing says which of two mocks it is.
    assert not cache.exists()


def test_mock_data_of_varied_size():
    with tfds.testing.mock_data(num_examples=5):
        examples = load_examples("tfds:imagenette/160px", image_size=24)
    assert (len(examples), examples.shape) == (5, (24, 24, 3))
