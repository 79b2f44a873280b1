"""Whether the memory of recording grows with the number of epochs: peak of a process each.

python benchmarks/memory.py [EXAMPLES] [EPOCHS ...]
"""

import resource
import sys

from timing import FASHION_MNIST


def peak_memory(num_examples, epochs, recorded):
    """The most MiB that a process took which trained, and recorded if `recorded`."""
    import keras

    import keras_pruning as kp
    from keras_pruning import models, training
    from keras_pruning.scores import SCORES

    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)
    keras.utils.set_random_seed(0)
    model = models.build("mlp", examples.shape, examples.num_classes, width=16)
    dynamics = [name for name in SCORES if SCORES[name].mode == "train"]
    scores = kp.ScoreCallback(examples, dynamics) if recorded else None
    options = {"epochs": epochs, "batch_size": 512, "learning_rate": 0.01}
    training.train(model, examples, **options, scores=scores)
    return epochs, recorded, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(num_examples=60_000, *epochs):
    from rich.console import Console
    from rich.table import Table

    from keras_pruning.processes import run_each

    calls = [
        {"num_examples": num_examples, "epochs": number, "recorded": recorded}
        for number in epochs or (5, 20, 80)
        for recorded in (False, True)
    ]
    peaks = {
        (number, recorded): peak
        for number, recorded, peak in run_each(peak_memory, calls, 1, 2, "runs")
    }
    table = Table(title=f"Peak memory in MiB, {num_examples:,} images", title_justify="left")
    for column in ("epochs", "plain", "recorded", "difference"):
        table.add_column(column, justify="right")
    for number in sorted({number for number, _ in peaks}):
        plain, recorded = peaks[number, False], peaks[number, True]
        table.add_row(f"{number}", f"{plain:.0f}", f"{recorded:.0f}", f"{recorded - plain:.0f}")
    Console(width=108).print(table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
