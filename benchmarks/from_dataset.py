"""Reading data sets into examples, and scoring those examples, against the bare work.

python benchmarks/from_dataset.py [EXAMPLES] [REPETITIONS]
"""

from collections import deque

from rows import Row, main
from timing import paired, tensorflow

BATCH_SIZE = 256


def measure(num_examples=20_000, repetitions=5):
    tensorflow()
    import numpy as np

    from keras_pruning import Examples

    pixels = np.random.default_rng(0).integers(0, 256, (num_examples, 28, 28, 1), np.uint8)
    labels = np.arange(num_examples) % 10
    batches, images, keyed = pipelines(pixels, labels)
    loaders = [(batches_of_keras(pixels, labels), "`PyDataset`"), loader_of_torch(pixels, labels)]
    for dataset, title, ids, read in (
        (batches, "`tf.data` in batches, two passes", None, batches.as_numpy_iterator),
        (images, "`tf.data` of single images, two passes", None, batches.as_numpy_iterator),
        (keyed, "`tf.data` with ids, one pass", "id", keyed.as_numpy_iterator),
        *((of, f"{title}, two passes", None, of.__iter__) for of, title in loaders),
    ):
        yield Row(
            f"`from_dataset` of {num_examples:,} images of 28 × 28, {title}",
            "reading the batches once",
            **paired(
                lambda dataset=dataset, ids=ids: Examples.from_dataset(dataset, ids),
                # A deque of no length only iterates.
                lambda read=read: deque(read(), 0),
                repetitions,
            ),
        )
    ours, theirs = Examples.from_dataset(batches), Examples.from_arrays(pixels, labels)
    yield Row(
        f"`el2n` of {num_examples:,} examples of `from_dataset`",
        "the same of `from_arrays`",
        **paired(scoring_pass(ours), scoring_pass(theirs), repetitions),
    )


def pipelines(pixels, labels):
    """Returns three `tf.data` pipelines that flip images: batches, single images, with ids."""
    tf = tensorflow()

    def flipped(image, label):
        return tf.image.flip_left_right(image), label

    images = tf.data.Dataset.from_tensor_slices((pixels, labels)).map(flipped)
    keyed = images.enumerate().map(
        lambda number, pair: {"id": tf.strings.as_string(number), "image": pair[0], "y": pair[1]}
    )
    return images.batch(BATCH_SIZE), images, keyed.batch(BATCH_SIZE)


def batches_of_keras(pixels, labels):
    """Returns a `PyDataset` that flips images."""
    import keras

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return -(-len(labels) // BATCH_SIZE)

        def __getitem__(self, number):
            if number >= len(self):
                raise IndexError(number)
            rows = slice(BATCH_SIZE * number, BATCH_SIZE * (number + 1))
            return pixels[rows, :, ::-1].copy(), labels[rows]

        def __iter__(self):
            return (self[number] for number in range(len(self)))

    return Batches()


def loader_of_torch(pixels, labels):
    """Returns a torch `DataLoader` of the images and its title."""
    from torch import tensor
    from torch.utils.data import DataLoader, TensorDataset

    return DataLoader(TensorDataset(tensor(pixels), tensor(labels)), BATCH_SIZE), "`DataLoader`"


def scoring_pass(examples):
    """Returns a function that scores examples with a small CNN."""
    import keras

    from keras_pruning.backend.tensorflow.passes import OutputPass
    from keras_pruning.models import loading
    from keras_pruning.scores import get

    keras.utils.set_random_seed(0)
    model = loading.build("cnn", examples.spec, examples.num_classes)
    return OutputPass(model, examples, {"el2n": get("el2n").observe}, BATCH_SIZE)


if __name__ == "__main__":
    main(measure)
