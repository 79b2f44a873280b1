"""Scores, prunes, trains and compares over a grid."""

import dataclasses
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from keras_pruning.comparison.dynamic_runs import baseline_runs, method_runs, require_methods
from keras_pruning.comparison.failures import Failures
from keras_pruning.comparison.grid import evaluation_seeds, with_baselines
from keras_pruning.comparison.pilots import pilot_choices
from keras_pruning.comparison.report import FOLDER, write_comparison
from keras_pruning.config import SweepConfig
from keras_pruning.entries import describe, static_methods
from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import keep_count
from keras_pruning.jobs.local import thread_count
from keras_pruning.jobs.ray_jobs import require_ray
from keras_pruning.jobs.tasks import ALONE
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.probing.scoring import find_scores, score
from keras_pruning.selection import get, select
from keras_pruning.selection.candidates import DIFFICULTY, EMBEDDING
from keras_pruning.selection.cautions import HardestCaution, each_once
from keras_pruning.selection.dynamic_methods import DEFAULTS
from keras_pruning.selection.embedding import open_embedding
from keras_pruning.selection.methods import dynamic_name, fraction_name, is_baseline
from keras_pruning.selection.select import require_needs
from keras_pruning.training.run import TrainingPlan, TrainingRun, run_all, run_folder

logger = logging.getLogger("keras_pruning")


@dataclass(frozen=True, eq=False)
class SweepPlan:
    """Everything that a sweep needs.

    Args:
        grid: methods, keep fractions and seeds, a `SweepConfig`.
        seeds: list of the evaluation seeds.
        baseline_seeds: list of those of random pruning.
        parts: list of a `ScoringPlan` and a `TrainingPlan` for each data fraction.
    """

    grid: SweepConfig
    seeds: list
    baseline_seeds: list
    parts: list

    @classmethod
    def from_config(cls, config, tasks=ALONE):
        """Makes the plan of a `Config`. The examples of all data fractions are loaded once.

        Args:
            config: `Config`.
            tasks: `Tasks`, this one among those that share the work.

        Raises:
            InputError: if `training.dynamic` is set, which all runs would follow, or if the
                backend is not installed.
        """
        grid, dynamic = config.sweep, config.training.dynamic
        if dynamic is not None:
            raise InputError(
                "A sweep compares methods that prune while training with training on all examples. "
                f"Expected no training.dynamic. Received: {dynamic_name(dynamic)}. List it in "
                f"sweep.methods: [{{dynamic: {dynamic['name']}}}]"
            )
        if grid.backend == "ray":
            require_ray()
        scoring = ScoringPlan.from_config(config, tasks=tasks)
        whole = dataclasses.replace(scoring, backend=grid.backend)
        parts = []
        for fraction in grid.data_fractions or [config.dataset.fraction]:
            splits = whole.data.splits.with_fraction(fraction)
            training = TrainingPlan(
                data=splits,
                model=config.model,
                training=config.training,
                settings=whole.settings,
                jobs=grid.jobs,
                threads=thread_count(grid.jobs, grid.threads),
                save_models=grid.save_models,
                tasks=tasks,
                backend=grid.backend,
            )
            parts.append((whole.with_splits(splits), training))
        return cls(grid, *evaluation_seeds(grid, config.seed), parts)


def sweep(plan, output, find_suspects=None):
    """Scores the data, prunes it by every method, retrains and compares.

    Existing runs are reused if they have the same recipe. A run that fails does not end the others.
    The full data and random pruning are always part of the grid. Each evaluation seed draws a new
    random subset and order of ties.

    Methods that prune while training take no scores. Their baselines train last, because their
    number of examples is that which the methods saw. A sweep of such methods alone neither scores
    nor prunes.

    Args:
        plan: `SweepPlan`.
        output: folder of all results.
        find_suspects: as for `keras_pruning.comparison.report.write_comparison`.

    Returns:
        Tuple of the `Comparison` of all finished runs and the `Failures`, the runs that failed.

    Raises:
        InputError: before anything is trained, if the plan is invalid or the output holds the
            results of another recipe. Later, if the first three runs fail.
    """
    output = Path(output)
    folders = folders_of(plan, output)
    embeddings, _ = checked(plan, folders)
    # Score and prune each data fraction
    runs = []
    for folder, (scoring, training), opened in zip(folders, plan.parts, embeddings, strict=True):
        table = score(scoring, folder) if with_baselines(plan.grid.methods) else None
        runs += static_runs(plan, training, folder, table, opened)
        runs += method_runs(plan, training, folder)
    failures = Failures(output)
    _train(runs, plan, failures)
    # Baselines see as many examples as the dynamic methods did
    baselines = []
    for folder, (_, training) in zip(folders, plan.parts, strict=True):
        baselines += baseline_runs(plan, training, folder)
    _train(baselines, plan, failures)
    splits = {training.data.drawn["fraction"]: training.data for _, training in plan.parts}
    # Of several tasks, each writes it in turn
    with plan.parts[0][1].tasks.alone(output / FOLDER):
        return write_comparison(output, splits, find_suspects), failures


def _train(runs, plan, failures):
    """Trains the runs that are not finished."""
    finished = {run: run.is_finished() for run in runs}
    to_do = [run for run in runs if not finished[run]]
    reused = len(runs) - len(to_do)
    for run in filter(finished.get, runs):
        run.clear()
    failures.successes += reused
    if reused:
        logger.info("Reused %d finished runs: they have the same recipe.", reused)
    if to_do:
        logger.info("Training %d models, %d at a time.", len(to_do), plan.grid.jobs)
    for _ in run_all(to_do, failures.add):
        failures.successes += 1


def checked(plan, folders):
    """Checks everything before anything is trained.

    Args:
        plan: `SweepPlan`.
        folders: list of the folder of each data fraction.

    Returns:
        Tuple of two lists, of the embeddings of each data fraction and of its `ScoreTable`, `None`
        if there is none yet.

    Raises:
        InputError: as `sweep` does.
    """
    embeddings, tables = [], []
    for folder, (scoring, training) in zip(folders, plan.parts, strict=True):
        scores = with_baselines(plan.grid.methods)
        if scores:
            scoring.require_training_split("sweep")
            _require_scored(plan.grid, scoring.names)
        _require_examples(plan.grid, training)
        embeddings.append(_embeddings(plan.grid, training))
        tables.append(find_scores(scoring, folder) if scores else None)
        require_methods(plan, training, folder)
    return embeddings, tables


def folders_of(plan, output):
    """Returns the folder of each data fraction."""
    if len(plan.parts) == 1:
        return [output]
    fractions = [training.data.drawn["fraction"] for _, training in plan.parts]
    return [output / f"data-{fraction_name(fraction)}" for fraction in fractions]


def static_runs(plan, training, folder, table, embeddings):
    """Returns all runs on one data fraction, that on the full data first for each seed.

    Runs the pilots that are not finished.

    Args:
        plan: `SweepPlan`.
        training: `TrainingPlan` of the data fraction.
        folder: folder of its runs.
        table: `ScoreTable`, `None` if no method is static.
        embeddings: dictionary from the path of a file to its `Vectors`.
    """
    methods = [
        {**method, "embedding": embeddings.get(method["embedding"])}
        for method in with_baselines(plan.grid.methods)
    ]
    # Keeping everything is the same as training on the full data
    keep_fractions = [part for part in dict.fromkeys(plan.grid.keep_fractions) if part < 1]
    runs = []
    choices = pilot_choices(methods, keep_fractions, training, table, folder)
    # Other seeds and fractions would repeat the warnings, and the comparison tells which of the
    # hardest fall below random.
    with each_once(ignored=(HardestCaution,)):
        for seed in dict.fromkeys([*plan.seeds, *plan.baseline_seeds]):
            subsets = [
                _timed(choices[number, keep_fraction].select, table, seed=seed)
                if (number, keep_fraction) in choices
                else _timed(select, table, keep_fraction=keep_fraction, seed=seed, **method)
                for keep_fraction in keep_fractions
                for number, method in enumerate(methods)
                if seed in (plan.baseline_seeds if is_baseline(describe(method)) else plan.seeds)
            ]
            for subset, seconds in [*[(None, None)] * (seed in plan.seeds), *subsets]:
                place = folder / run_folder(subset, seed)
                runs.append(TrainingRun(training, subset, seed, place, seconds))
    return runs


def _timed(function, *arguments, **options):
    """Returns the subset that a function selects and the seconds that it took."""
    start = time.perf_counter()
    subset = function(*arguments, **options)
    return subset, time.perf_counter() - start


def _require_scored(grid, names):
    """Raises an `InputError` unless the scores that the methods read are taken.

    Args:
        grid: `SweepConfig`.
        names: names of the scores.
    """
    for method in static_methods(grid.methods):
        policy = get(method["policy"])
        if DIFFICULTY in policy.needs and method["by"] not in names:
            by = method["by"]
            mend = (
                f"Write {{dynamic: {by}}} for the method that prunes while training."
                if by in DEFAULTS
                else "Add it to `scores`, or set `sweep.methods`, which has a default."
            )
            raise InputError(
                "A method of the sweep uses a score that is not taken. "
                f"Expected `by` among `scores`: {names}. Received: {by!r}. {mend}"
            )
        require_needs(policy, method["by"], names, method["embedding"])


def _require_examples(grid, training):
    """Checks the data, and that every method can keep each fraction of it, before any training."""
    training.data.test  # noqa: B018
    for keep_fraction in grid.keep_fractions if with_baselines(grid.methods) else []:
        keep_count(keep_fraction, len(training.data.train))
        # Keeping everything is the full data, which no policy selects.
        for method in static_methods(grid.methods) if keep_fraction < 1 else []:
            get(method["policy"]).require_keep_fraction(keep_fraction)


def _embeddings(grid, training):
    """Opens the embeddings that the methods need.

    A file has a row for each training example, or for each that the source has stored.

    Args:
        grid: `SweepConfig`.
        training: `TrainingPlan` of one data fraction.

    Returns:
        Dictionary from the path of a file to its `Vectors`.
    """
    examples = training.data.train
    # A set, because each file is read once to check and hash it
    paths = {
        method["embedding"]
        for method in static_methods(grid.methods)
        if EMBEDDING in get(method["policy"]).needs
    }
    return {path: open_embedding(path, len(examples), examples) for path in paths}
