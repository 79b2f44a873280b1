"""One run for all scores against the sum of one run for each, as scripts per paper need them.

python benchmarks/all_scores.py [EXAMPLES] [EPOCHS]
"""

import sys
import time

from timing import FASHION_MNIST


def seconds_for(config, scores):
    """The seconds of training one probe and taking `scores`, in this process."""
    from keras_pruning.probe import score_with_probe

    start = time.perf_counter()
    score_with_probe(config, 0, [{"name": name} for name in scores])
    return scores, time.perf_counter() - start


def main(num_examples=10_000, epochs=5):
    from rich.console import Console
    from rich.table import Table

    from keras_pruning.config import Config, DatasetConfig, ProbeConfig
    from keras_pruning.processes import run_each
    from keras_pruning.scores import SCORES

    dataset = DatasetConfig(FASHION_MNIST, fraction=num_examples / 60_000)
    config = Config(dataset=dataset, probe=ProbeConfig(epochs=epochs))
    calls = [{"config": config, "scores": scores} for scores in ([name] for name in SCORES)]
    calls.append({"config": config, "scores": list(SCORES)})
    *each, (_, together) = sorted(
        run_each(seconds_for, calls, 1, 2, "runs"), key=lambda run: len(run[0])
    )
    title = f"Seconds of one probe, {num_examples:,} images of Fashion-MNIST, {epochs} epochs"
    table = Table(title=title, title_justify="left")
    table.add_column("scores")
    table.add_column("seconds", justify="right")
    for (name,), seconds in each:
        table.add_row(name, f"{seconds:.1f}")
    table.add_section()
    total = sum(seconds for _, seconds in each)
    table.add_row(f"the sum of these {len(each)} runs", f"{total:.1f}")
    table.add_row("all in one run", f"{together:.1f}")
    table.add_row("ratio", f"{together / total:.3f}")
    Console(width=108).print(table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
