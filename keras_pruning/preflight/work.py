"""The measurements of a preflight, each in a child process."""

import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import psutil

from keras_pruning.backend.tensorflow import flops
from keras_pruning.models import loading
from keras_pruning.models.heads import as_logits
from keras_pruning.preflight.expected_shares import expected_share
from keras_pruning.preflight.lines import Line, growing
from keras_pruning.preflight.scoring_time import ScoringTime
from keras_pruning.preflight.timed_training import (
    MOST_EPOCHS,
    TimedTraining,
    measured_checkpoint,
    some,
    timed,
)
from keras_pruning.probing.score_callback import ScoreCallback
from keras_pruning.probing.score_entries import without_seeds
from keras_pruning.scores import EL2N, get
from keras_pruning.scores.score import TRAIN
from keras_pruning.training import evaluation, fit


def measure_scoring(plans, seeds):
    """Measures the scoring of plans on a few examples, those of the first plan.

    Args:
        plans: list of `ScoringPlan` that differ in their examples only, the largest first.
        seeds: list of the seeds of the probes of each plan that are not finished.

    Returns:
        List of a dictionary for each plan: `works`, a list of the seconds, counts and operations
        of each probe, and the memory and files of one.
    """
    process = Process()
    plan = plans[0]
    data = plan.data
    load = timed(lambda: (data.all, data.trained_on, data.scored))
    groups = [_scores_of(*pair) for pair in zip(plans, seeds, strict=True)]
    each = [score for group in groups for scores in group for score in scores]
    scores = list({score.name: score for score in each}.values())
    model, training, building = None, None, 0.0
    if plan.checkpoints:
        start = time.perf_counter()
        model = loading.load(plan.checkpoints[-1])
        load += time.perf_counter() - start
    elif data.fraction < 1 or any(score.needs_model for score in scores):
        building = timed(lambda: _built(plan, data.trained_on))
        training = _training_of_probes(plan, scores)
        model = training.model
    times = ScoringTime(plan, model, training, scores)
    measured = [(times, _works(times, groups[0]))]
    # Taken before the other plans load their examples, whose memory does not count.
    memory = process.memory()
    for other, group in zip(plans[1:], groups[1:], strict=True):
        smaller = times.at(other)
        measured.append((smaller, _works(smaller, group)))
    beside = process.start + load
    return [
        {
            "works": [{**work, "seconds": work["seconds"] + beside} for work in works],
            "checking": beside + building,
            **sized.sizes,
            **memory,
        }
        for sized, works in measured
    ]


def _scores_of(plan, seeds):
    """Returns the `Score` instances of each probe of a plan, or of its checkpoints."""
    if plan.checkpoints:
        entries = [[without_seeds(entry) for entry in plan.entries]]
    else:
        entries = [plan.scores_of_each_seed[seed] for seed in seeds]
    return [[get(entry) for entry in group] for group in entries]


def _works(times, groups):
    """Returns the work of each probe. Probes of the same scores are alike."""
    names = [tuple(score.name for score in group) for group in groups]
    alike = dict(zip(names, groups, strict=True))
    alike = {group: times.of(scores) for group, scores in alike.items()}
    return [alike[group] for group in names]


def _training_of_probes(plan, scores):
    """Returns the `TimedTraining` of a probe that takes the scores."""
    data = plan.data
    # Scores of saved states and of eval mode are timed on their own.
    recorded = [score for score in scores if score.mode == TRAIN and not data.unseen]

    def callbacks(part):
        # The score is due after the last epoch, which the fit does not reach.
        length = max(MOST_EPOCHS, plan.training.epochs)
        taken = recorded or [EL2N(epoch=length)]
        # A few examples that are repeated contradict nothing.
        options = {"epochs": length, "verify": False}
        return [ScoreCallback(part, taken, plan.batch_size, **options)]

    return TimedTraining(
        lambda: _built(plan, data.trained_on), data.trained_on, plan.training, callbacks
    )


def measure_training(plan, dynamic):
    """Measures a training run of a plan on a few examples.

    Args:
        plan: `TrainingPlan`.
        dynamic: list of dynamic entries.

    Returns:
        Dictionary of seconds, operations, sizes of files and the memory.
    """
    process = Process()
    load = timed(lambda: (plan.data.train, plan.data.test))
    train, test = plan.data.train, plan.data.test
    from keras_pruning.reports.training_curves import TrainingCurves

    with tempfile.TemporaryDirectory() as folder:
        training = TimedTraining(
            lambda: _built(plan, train),
            train,
            plan.training,
            lambda part: [TrainingCurves(Path(folder))],
        )
        files = {"model_bytes": 0}
        saving = 0.0
        if plan.save_models:
            path = Path(folder, "model.keras")
            saving = timed(lambda: training.model.save(path))
            files["model_bytes"] = path.stat().st_size
    model = training.model
    evaluating = Line.through(
        growing(
            lambda count: timed(lambda: evaluation.evaluate(model, some(test, count))),
            512,
            len(test),
            0.7,
        )
    )
    counting = timed(lambda: fit.training_flops(model, train, plan.training, 1))
    logits = as_logits(model, spec=train.spec)
    batch = min(plan.training.batch_size, len(train))
    checkpoint = measured_checkpoint(model)
    beside = evaluating.at(len(test)) + counting + saving
    return {
        "beginning": process.start + load + max(0.0, training.cold - training.warm),
        "warm": training.warm + beside,
        **training.epoch._asdict(),
        "flops": flops.training_flops(logits, train.spec, batch),
        "forward_flops": flops.forward_flops(logits, train.spec, batch),
        "shares": [expected_share(entry, train, plan.training.epochs) for entry in dynamic],
        **checkpoint,
        **files,
        **process.memory(),
    }


class Process:
    """This process since its start.

    Attributes:
        start: seconds from the start of the process until now.
    """

    def __init__(self):
        self._process = psutil.Process()
        self.start = max(0.0, time.time() - self._process.create_time())
        self._resident = self._process.memory_info().rss

    def memory(self):
        """Returns the bytes at the beginning of the work, the peak, and those of the server.

        With them are the seconds from the start of the server until it forked this process.
        """
        peak = self._peak()
        server, command = self._process.parent(), multiprocessing.parent_process()
        # Without a fork server, the command itself is the parent
        is_server = server and command and server.pid != command.pid
        waited = self._process.create_time() - server.create_time() if is_server else 0.0
        return {
            "resident": self._resident,
            "peak": max(peak, self._resident),
            "server": server.memory_info().rss if server else 0,
            "server_seconds": max(0.0, waited),
        }

    def _peak(self):
        """Returns the bytes of the peak of this process."""
        if sys.platform == "win32":
            return self._process.memory_info().peak_wset
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # Linux counts KiB, and macOS bytes.
        return peak if sys.platform == "darwin" else 1024 * peak


def _built(plan, examples):
    spec, classes = examples.spec, examples.num_classes
    return loading.build(plan.model.name, spec, classes, **plan.model.options)
