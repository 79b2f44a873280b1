"""One run for all scores, against the sum of one run for each score.

python benchmarks/all_scores.py [EXAMPLES] [EPOCHS]
"""

import time

from rows import Row, main, say
from timing import FASHION_MNIST, THREADS, tensorflow


def seconds_for(plan):
    """Trains the probe of a plan and returns the names of its scores and the seconds it took."""
    from keras_pruning.probing.work import score_with_probe

    start = time.perf_counter()
    score_with_probe(plan, 0)
    return plan.names, time.perf_counter() - start


def measure(num_examples=10_000, epochs=5):
    tensorflow()
    from keras_pruning.config import Config, DatasetConfig, ProbeConfig
    from keras_pruning.jobs.local import run_each
    from keras_pruning.probing.plan import ScoringPlan
    from keras_pruning.scores import SCORES

    dataset = DatasetConfig(FASHION_MNIST, fraction=num_examples / 60_000)
    calls = []
    for scores in [*([name] for name in SCORES), list(SCORES)]:
        config = Config(dataset=dataset, probe=ProbeConfig(epochs=epochs), scores=scores)
        calls.append({"plan": ScoringPlan.from_config(config)})
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
