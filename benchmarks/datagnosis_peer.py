"""Four scores, together from one fit and each alone, against the PyTorch library datagnosis.

Both train the same small CNN on the same images: layers, batch size, epochs, optimiser and number
of threads are the same, and every call starts from new weights. They differ as follows:

- A plug-in of datagnosis trains again for each score. Ours takes any number of scores from one fit.
- For `el2n`, datagnosis passes over the data after every epoch, and ours passes once. For
  `forgetting`, datagnosis passes after every epoch, and ours records the training step. Both take
  `vog` from the model of every epoch.
- datagnosis writes its model to disk at every step, which cannot be switched off. It does not read
  files of an earlier run here, and does not stop early.
- PyTorch's training step is faster. The row without a score shows the difference.

Only the times are compared: with shuffled batches, several plug-ins assign scores to the wrong
examples.

python benchmarks/datagnosis_peer.py [EXAMPLES] [EPOCHS] [REPETITIONS]
"""

import importlib.util
import sys

import torch_twin
from rows import Row, main
from timing import FASHION_MNIST, ratios, tensorflow
from turns import in_turn

SCORES = ("el2n", "vog", "aum", "forgetting")


def fit(scores, num_examples, epochs, batch_size, learning_rate):
    """Returns a function that trains `networks.cnn` once and takes `scores`.

    Args:
        scores: list of names, or of dictionaries with a name and options.
        num_examples: number of images.
        epochs, batch_size, learning_rate: as in `TrainingConfig`.
    """
    tensorflow()
    import keras

    import keras_pruning as kp
    from keras_pruning.config import TrainingConfig
    from keras_pruning.models import loading
    from keras_pruning.training import fit

    options = TrainingConfig(
        epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, schedule="constant"
    )
    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)

    def train():
        keras.utils.set_random_seed(0)
        model = loading.build("cnn", examples.spec, examples.num_classes)
        callbacks = [kp.ScoreCallback(examples, scores)] if scores else []
        fit.train(model, examples, options, callbacks=callbacks)
        return callbacks[0].table() if scores else None

    return train


def measure(num_examples=10_000, epochs=5, repetitions=3):
    if importlib.util.find_spec("datagnosis") is None:
        sys.exit("datagnosis is not installed. See benchmarks/requirements.txt")
    options = {
        "num_examples": num_examples,
        "epochs": epochs,
        "batch_size": 128,
        "learning_rate": 0.1,
    }
    # As datagnosis does: the model of the last epoch for EL2N, the models of all epochs for VoG.
    settings = {"el2n": {"epoch": epochs}, "vog": {"every": 1}}
    scores = {name: {"name": name, **settings.get(name, {})} for name in SCORES}
    contestants = {}
    for name, score in scores.items():
        contestants[name, "ours"] = fit, {"scores": [score], **options}
        contestants[name, "theirs"] = torch_twin.plugin, {"score": name, **options}
    contestants["all", "ours"] = fit, {"scores": list(scores.values()), **options}
    contestants["none", "ours"] = fit, {"scores": [], **options}
    contestants["none", "theirs"] = torch_twin.plain, options
    turns = in_turn(contestants, repetitions, uncounted=0)
    yield from rows(turns, f"{num_examples:,} images, {epochs} epochs")


def rows(turns, on):
    """Yields a `Row` for each score alone, for all scores, and for none."""
    theirs = {name: turns[name, "theirs"].seconds for name in (*SCORES, "none")}
    theirs["all"] = [sum(each) for each in zip(*(theirs[name] for name in SCORES), strict=True)]
    titles = {
        **{name: (f"`fit` with `{name}`", f"datagnosis, `{name}`") for name in SCORES},
        "all": (f"`fit` with {', '.join(SCORES)}", "datagnosis, the sum of these"),
        "none": ("`fit` without a score", "PyTorch, a bare training loop"),
    }
    for name, (measured, against) in titles.items():
        mine = turns[name, "ours"]
        compared = ratios(mine.seconds, theirs[name])
        yield Row(f"{measured}, {on}", against, **compared, peak=mine.peak)


if __name__ == "__main__":
    main(measure)
