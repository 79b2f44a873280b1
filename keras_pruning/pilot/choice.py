"""The decision of a pilot, and how sure it is."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from keras_pruning.arguments import require_type
from keras_pruning.errors import InputError
from keras_pruning.selection import select
from keras_pruning.selection.policies import BASELINE
from keras_pruning.statistics.resampling import holm, split_t_test

# Adjusted p-value below which a policy is better than random.
BEYOND_DOUBT = 0.05


@dataclass(frozen=True)
class Comparison:
    """One policy of a pilot against random.

    Args:
        policy: name of the policy.
        accuracy: mean accuracy on the held-out examples.
        difference: mean accuracy minus that of random on the same splits.
        half_width: half the width of the 95 % interval of the difference, `None` if there is none.
        p_adjusted: one-sided p-value of "not better than random", adjusted by Holm.
    """

    policy: str
    accuracy: float
    difference: float
    half_width: float | None
    p_adjusted: float


@dataclass(frozen=True, eq=False)
class PolicyChoice:
    """The policy that a pilot chose. `print` says which and how sure it is.

    Args:
        policy: name of the policy, `"random"` if none is better beyond doubt.
        score: name of the score that gives the difficulty.
        quota: as for `select`.
        keep_fraction: float in (0, 1).
        comparisons: list of `Comparison`, the best first.
        accuracies: dictionary from the names of policies to lists of one accuracy for each split.
        seeds: list of the seeds of the splits.
        rival: name of the next best policy, `None` if there is none.
        p_rival: one-sided p-value of "not better than the rival", not adjusted, `None` without a
            rival.
        request: the part of a `selection` that asks for the pilot, or `None`.
        recipe: everything that the accuracies depend on, or `None`.
        cost: dictionary of `runs`, `examples_seen` in training, `examples_forward` in evaluation,
            `flops` and `seconds`, or `None`.
        table: digest of the score table, or `None`.
    """

    policy: str
    score: str
    quota: str | dict | None
    keep_fraction: float
    comparisons: list
    accuracies: dict
    seeds: list
    rival: str | None
    p_rival: float | None
    request: dict | None = None
    recipe: dict | None = None
    cost: dict | None = None
    table: str | None = None

    @property
    def by(self):
        """The argument `by` of `select`: the score, or `None` if random was taken."""
        return None if self.policy == BASELINE else self.score

    @property
    def best(self):
        """The `Comparison` of the policy with the highest mean accuracy."""
        return self.comparisons[0]

    @property
    def p_adjusted(self):
        """Adjusted p-value of the chosen policy, or of the best one if random was taken."""
        chosen = [entry for entry in self.comparisons if entry.policy == self.policy]
        return (chosen or self.comparisons)[0].p_adjusted

    def select(self, table, seed=0):
        """Returns the `Subset` by the chosen policy, which records the pilot.

        Args:
            table: `ScoreTable`, all training examples.
            seed: integer that breaks ties and draws.

        Raises:
            InputError: if the pilot ran on another table.
        """
        require_type("table", table, "digest", "the ScoreTable that the pilot ran on")
        if self.table not in (None, table.digest):
            raise InputError(
                f"The pilot ran on other scores. Expected the table with the digest {self.table}. "
                f"Received: {table.digest}. Run a pilot on these scores."
            )
        by, policy, quota = self.by, self.policy, self.quota
        subset = select(table, by, self.keep_fraction, policy, quota, seed)
        # Random was taken because of the scores too.
        subset.selection["extrapolated"] = bool(table.extrapolated.any())
        subset.selection["auto"] = self.as_dict()
        return subset

    def as_dict(self):
        """Returns the record of the pilot, a dictionary for JSON."""
        record = dataclasses.asdict(self)
        # The selection has these.
        del record["keep_fraction"], record["quota"]
        return record

    @classmethod
    def from_dict(cls, record, keep_fraction, quota):
        """Returns the choice of a record that `as_dict` made."""
        comparisons = [Comparison(**entry) for entry in record["comparisons"]]
        arguments = {**record, "keep_fraction": keep_fraction, "quota": quota}
        return cls(**{**arguments, "comparisons": comparisons})

    def sentences(self):
        """Returns sentences on the choice, a list."""
        chance = f"adjusted p {_rounded(self.best.p_adjusted)}"
        against = f"{_points(self.best)} points of held-out accuracy against random, {chance}"
        if self.policy == BASELINE:
            return [
                f"The pilot cannot tell a policy that is better than random. It takes {BASELINE}. "
                f"The best is {self.best.policy}: {against}."
            ]
        lines = [f"The pilot takes {self.policy}: {against}."]
        if self.rival is not None and self.p_rival >= BEYOND_DOUBT:
            lines.append(
                f"It cannot tell {self.policy} from {self.rival}, the next best "
                f"(p {_rounded(self.p_rival)})."
            )
        return lines

    def __repr__(self):
        return " ".join(self.sentences())


def decide(accuracies, ratio, score, keep_fraction, seeds, quota=None, **record):
    """Returns the `PolicyChoice` that accuracies on random splits lead to.

    The policy of the highest mean accuracy is taken if its advantage over random on the same
    splits is significant: one-sided test for random splits, adjusted by Holm for all policies.

    Args:
        accuracies: dictionary from the names of policies, `"random"` among them, to floats
            `(splits,)`, in the same order of the splits.
        ratio: number of held-out examples divided by the number of the others.
        score: name of the score.
        keep_fraction: float in (0, 1).
        seeds: list of the seeds of the splits.
        quota: as for `select`.
        **record: `request`, `recipe`, `cost` and `table` of the choice.
    """
    accuracies = {name: np.asarray(values, np.float64) for name, values in accuracies.items()}
    names = [name for name in accuracies if name != BASELINE]
    baseline = accuracies[BASELINE]
    # Random had the same splits, so that the noise of the held-out examples cancels in part
    tests = [split_t_test(accuracies[name] - baseline, ratio) for name in names]
    adjusted = holm([p for _, _, p in tests])
    comparisons = [
        Comparison(name, float(accuracies[name].mean()), mean, half_width, float(p))
        for name, (mean, half_width, _), p in zip(names, tests, adjusted, strict=True)
    ]
    comparisons.sort(key=lambda entry: -entry.accuracy)
    best = comparisons[0]
    policy, rival, p_rival = BASELINE, None, None
    # Holm adjusted all policies, so that the best may be looked for after the fact
    if best.p_adjusted < BEYOND_DOUBT:
        policy = best.policy
        if len(comparisons) > 1:
            rival = comparisons[1].policy
            *_, p_rival = split_t_test(accuracies[policy] - accuracies[rival], ratio)
    as_lists = {name: values.tolist() for name, values in accuracies.items()}
    return PolicyChoice(
        policy,
        score,
        quota,
        keep_fraction,
        comparisons,
        as_lists,
        list(seeds),
        rival,
        p_rival,
        **record,
    )


def require_accuracy(value):
    """Returns an accuracy as a float.

    Raises:
        InputError: unless it is a number in [0, 1].
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not 0 <= number <= 1:
        raise InputError(
            "Invalid result of `accuracy`. Expected a number in [0, 1], the share of the held-out "
            f"examples that the trained model gets right. Received: {value!r}"
        )
    return number


def _points(comparison):
    width = comparison.half_width
    return f"{100 * comparison.difference:+.2f}" + (f" ± {100 * width:.2f}" if width else "")


def _rounded(p):
    return f"{p:.2g}" if p >= 0.0001 else "< 0.0001"
