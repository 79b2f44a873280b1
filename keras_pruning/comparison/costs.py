"""Costs of finished results: examples, floating-point operations and seconds, if known."""

import math
import numbers
from dataclasses import dataclass
from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.probing.finished_scores import COST
from keras_pruning.storage import read_json


@dataclass(frozen=True)
class Cost:
    """A cost by three measures, `None` if unknown. An unknown part makes a sum unknown.

    Args:
        examples: number of examples that pass through models, forward only or with gradients.
        flops: floating-point operations of these passes.
        seconds: wall-clock time, which depends on the load of the machine.
    """

    examples: float | None
    flops: float | None
    seconds: float | None

    def __add__(self, other):
        return Cost(*map(_sum, self.measures, other.measures))

    @property
    def measures(self):
        """The three measures, those that do not depend on the load first."""
        return self.examples, self.flops, self.seconds


NOTHING, UNKNOWN = Cost(0, 0, 0.0), Cost(None, None, None)


def mean_cost(costs):
    """Returns the mean of costs, unknown by the measures that are unknown for any of them.

    Args:
        costs: list of at least one `Cost`.
    """
    total = sum(costs[1:], costs[0])
    return Cost(*(None if part is None else part / len(costs) for part in total.measures))


def training_cost(metrics):
    """Returns the `Cost` of a training run.

    Args:
        metrics: content of its `metrics.json`. Earlier versions leave some entries out.
    """
    return Cost(metrics.get("examples_seen"), metrics.get("flops"), metrics["seconds"])


def pilot_cost(selection):
    """Returns the `Cost` of the pilot that chose a policy, nothing if there was no pilot.

    Args:
        selection: the `selection` of a run's metrics, `None` for the full data.
    """
    if not selection or not selection.get("auto"):
        return NOTHING
    # A function of the user may have trained its models.
    return _cost(selection["auto"].get("cost") or {}, "pilot")


@dataclass(frozen=True)
class Scoring:
    """A finished scoring of training examples.

    Args:
        folder: folder of the score table.
        data_fraction: fraction of the data set before pruning.
        cost: `Cost` of all its scores together.
        names: tuple of the names of the scores.
        probes: number of probes, 0 if saved checkpoints took their place.
        part: fraction of the examples that was scored, 1 without extrapolation.
        searches: whether neighbours or prototypes were searched for, which is in the seconds only.
    """

    folder: Path
    data_fraction: float
    cost: Cost
    names: tuple
    probes: int
    part: float
    searches: bool


def find_scorings(tables):
    """Returns the `Scoring` of each score table that has a recorded cost.

    Args:
        tables: dictionary from folders to the `ScoreTable` in each.

    Raises:
        InputError: if a file of the cost is damaged.
    """
    paths = {folder / COST: table for folder, table in tables.items()}
    return [_scoring(path, table) for path, table in paths.items() if path.exists()]


def scoring_of(run, scorings):
    """Returns the `Scoring` that a run's subset was selected by, `None` if that is not known.

    Args:
        run: `keras_pruning.comparison.runs.Run` of a method that reads scores.
        scorings: list of `Scoring`.
    """
    is_part = bool(run.metrics["selection"].get("extrapolated"))
    fitting = [
        scoring
        for scoring in scorings
        if scoring.data_fraction == run.data_fraction and (scoring.part < 1) == is_part
    ]
    # A sweep leaves its scores above its runs.
    above = [scoring for scoring in fitting if scoring.folder in run.folder.parents]
    if above:
        return max(above, key=lambda scoring: len(scoring.folder.parts))
    return fitting[0] if len(fitting) == 1 else None


def _scoring(path, table):
    """Returns the `Scoring` of a `scoring.json` and its table."""
    recorded, metadata = read_json(path), table.metadata
    probes = recorded.get("probes") or []
    # Probes may train at the same time, so that their own seconds are the work.
    seconds = [_cost(probe, path).seconds for probe in probes]
    total = _cost(recorded, path)
    if probes and None not in seconds:
        total = Cost(total.examples, total.flops, sum(seconds))
    part = metadata.get("extrapolation", {}).get("fraction", 1.0)
    searches = bool(recorded.get("searches"))
    fraction = metadata["examples"]["fraction"]
    return Scoring(path.parent, fraction, total, tuple(table.names), len(probes), part, searches)


def _cost(recorded, place):
    """Returns the `Cost` that a file records, with three numbers of examples."""
    names = ("examples_seen", "examples_forward", "examples_with_gradients")
    counts = [_number(recorded, name, place) for name in names]
    examples = None if None in counts else sum(counts)
    return Cost(examples, _number(recorded, "flops", place), _number(recorded, "seconds", place))


def _number(recorded, name, place):
    """Returns a number of a file, `None` if it is missing.

    Raises:
        InputError: if it is no number, or below 0.
    """
    value = recorded.get(name)
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if value is not None and not (is_number and math.isfinite(value) and value >= 0):
        raise InputError(
            f"Invalid cost in {place}. Expected `{name}` to be a number of at least 0, or null. "
            f"Received: {repr(value)[:80]}. Score again into another folder."
        )
    return value


def _sum(first, second):
    return None if first is None or second is None else first + second
