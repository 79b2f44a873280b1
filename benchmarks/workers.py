"""Training runs of the demo in processes that are kept for the next run, and in one each.

python benchmarks/workers.py [RUNS] [REPETITIONS]
"""

import itertools
import tempfile
from pathlib import Path

from commands import bits
from rows import Row, main
from timing import paired

JOBS = 2
RUN = "keras_pruning.training.work:run_training"


def measure(num_runs=16, repetitions=2):
    from keras_pruning.config import Config, DatasetConfig, ModelConfig, TrainingConfig
    from keras_pruning.jobs.local import run_each, thread_count
    from keras_pruning.training.run import TrainingPlan, TrainingRun

    # Those of configs/digits.yaml
    training = TrainingConfig(epochs=20, budget="steps")
    config = Config(DatasetConfig("digits"), ModelConfig("cnn"), training=training)
    threads, numbers = thread_count(JOBS), itertools.count()
    with tempfile.TemporaryDirectory() as folder:
        plan = TrainingPlan.from_config(config)
        plan.recipe  # noqa: B018  The runs of a sweep share it

        def train(keep):
            place = Path(folder, f"{next(numbers)}")
            runs = [TrainingRun(plan, None, seed, place / f"{seed}") for seed in range(num_runs)]
            calls = [{"run": run} for run in runs]
            list(run_each(RUN, calls, JOBS, threads, "training run", keep=keep))
            return bits(place)

        assert train(True) == train(False)
        times = paired(lambda: train(True), lambda: train(False), repetitions)
    times.pop("peak")  # The runs are in other processes
    yield Row(
        f"{num_runs} training runs of the demo, {JOBS} at a time, in processes that are kept",
        "the same runs in a process each",
        **times,
    )


if __name__ == "__main__":
    main(measure)
