"""One run for all scores, against the sum of one run for each score.

python benchmarks/all_scores.py [EXAMPLES] [EPOCHS]
"""

import time

from rows import Row, main, say
from timing import FASHION_MNIST, THREADS, tensorflow


def seconds_for(config, scores):
    """Trains one probe, takes `scores` and returns them with the seconds that it took."""
    from keras_pruning.probing.probes import score_with_probe

    start = time.perf_counter()
    score_with_probe(config, 0, [{"name": name} for name in scores])
    return scores, time.perf_counter() - start


def measure(num_examples=10_000, epochs=5):
    tensorflow()
    from keras_pruning.config import Config, DatasetConfig, ProbeConfig
    from keras_pruning.jobs.local import run_each
    from keras_pruning.scores import SCORES

    dataset = DatasetConfig(FASHION_MNIST, fraction=num_examples / 60_000)
    config = Config(dataset=dataset, probe=ProbeConfig(epochs=epochs))
    calls = [{"config": config, "scores": scores} for scores in ([name] for name in SCORES)]
    calls.append({"config": config, "scores": list(SCORES)})
    alone = {}
    for scores, taken in run_each(seconds_for, calls, 1, THREADS, "runs"):
        say(f"{scores[0] if len(scores) == 1 else 'all'}: {taken:.1f} s")
        if len(scores) == 1:
            alone[scores[0]] = taken
        else:
            together = taken
    slowest = max(alone, key=alone.get)
    yield Row.of_one_pair(
        f"all {len(SCORES)} scores of one probe, {num_examples:,} images, {epochs} epochs",
        f"the sum of {len(alone)} runs of one score ({slowest} {alone[slowest]:.1f} s)",
        together,
        sum(alone.values()),
    )


if __name__ == "__main__":
    main(measure)
