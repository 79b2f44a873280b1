"""Warns of selections that the literature and our own studies have seen go wrong.

All thresholds are at the top of this file.
"""

import contextlib
import warnings

import numpy as np

from keras_pruning.selection.quotas.balanced import Balanced

# Keeping the hardest falls below random beyond 70 % pruned (Sorscher et al. 2022, figure 1; Zheng
# et al. 2023, figure 1), and on Fashion-MNIST already there: 86.5 % against 89.0 %.
SMALL_PART = 0.3
# It does so with few examples too. Half of the digits kept by EL2N: of 29 examples a class, no loss
# against random; of 14, a loss of 14 ± 4 points (configs/digits.yaml, data_fractions 0.4 and 0.2).
FEW = 20
# A class has lost its share below this part of it. With fewer than 1 / LOST_SHARE expected
# examples, chance alone can do that.
LOST_SHARE = 0.1
# A large part of the kept examples has a label that the probes did not learn.
UNLEARNED = 0.25
# More such examples among all of them point to the probes rather than to the labels.
TOO_MANY = 0.3
# Most classes that a warning names.
_CLASSES = 5


class HardestCaution(UserWarning):
    """Warning that keeping the hardest may be worse than random.

    A sweep measures that, and does without the warning.
    """


def warn_of(table, mask, keep_fraction, policy, quota):
    """Warns of a selection that may have gone wrong, each reason once.

    Args:
        table: `ScoreTable`.
        mask: booleans `(examples,)`, true for the kept ones.
        keep_fraction: float in (0, 1].
        policy: `Policy`.
        quota: `Quota`, or `None`.

    Warns:
        HardestCaution: if a policy that keeps the hardest keeps a small part, or few examples.
        UserWarning: if a class is gone or has lost its share, or the labels of many of the hardest
            examples are in doubt.
    """
    cautions = [(UserWarning, _on_classes(table.labels, mask, policy, quota))]
    if policy.keeps_hardest and keep_fraction < 1:
        cautions.append((HardestCaution, _on_hardest(table.labels, mask, keep_fraction, policy)))
        cautions.append((UserWarning, _on_labels(table, mask, policy)))
    for category, text in cautions:
        if text:
            # The line that calls `select`
            warnings.warn(text, category, stacklevel=3)


@contextlib.contextmanager
def each_once(ignored=()):
    """Gives the warnings of a block after it. Of those that differ in numbers only, the first.

    Args:
        ignored: categories of warnings that are not given.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    kinds = {}
    for warning in caught:
        # The first sentence says what went wrong, and the next ones have the numbers.
        kinds.setdefault((warning.category, str(warning.message).partition(". ")[0]), warning)
    for (category, _), warning in kinds.items():
        if not issubclass(category, tuple(ignored)):
            warnings.warn_explicit(warning.message, category, warning.filename, warning.lineno)


def _on_classes(labels, mask, policy, quota):
    """Returns a caution on classes without kept examples, or with less than a tenth of a share."""
    available = np.bincount(labels)
    kept = np.bincount(labels[mask], minlength=len(available))
    lost = np.flatnonzero((available > 0) & (kept == 0))
    # A quota is a decision about the shares, so that only a loss is worth a word.
    share = available * (0.0 if quota else mask.mean())
    few = np.flatnonzero((kept > 0) & (share * LOST_SHARE >= 1) & (kept < share * LOST_SHARE))
    problem, expected, received = "keeps no example", "at least one of each", []
    if len(lost):
        shown = [f"{label} ({available[label]:,} examples)" for label in lost]
        received.append(f"none of {_listed(shown)}")
    if len(few):
        problem += ", or less than a tenth of the share,"
        expected = f"about {mask.mean():.0%} of each"
        shown = [f"{label} ({kept[label]:,} of {available[label]:,})" for label in few]
        received.append(f"few of {_listed(shown)}")
    if not received:
        return None
    way = "Keep a larger fraction." if quota else f"Set `quota`, for example {Balanced.name!r}."
    return (
        f"The policy {policy.name!r} {problem} of some classes. Expected {expected}. Received: "
        f"{', '.join(received)}, among {mask.sum():,} kept of {len(mask):,}. {way}"
    )


def _on_hardest(labels, mask, keep_fraction, policy):
    """Returns a caution on keeping the hardest of a small part, or of few examples."""
    kept, classes = mask.sum(), np.count_nonzero(np.bincount(labels))
    if keep_fraction >= SMALL_PART and kept >= FEW * classes:
        return None
    return (
        f"The policy {policy.name!r} often falls below random pruning with so few examples. "
        f"Expected at least {SMALL_PART:.0%} of the data and {FEW} examples a class. Received: "
        f"{100 * keep_fraction:.3g}% of the data, {kept / classes:.3g} examples a class. "
        "Keep more, or compare with other policies in a sweep."
    )


def _on_labels(table, mask, policy):
    """Returns a caution on kept examples whose labels the probes did not learn."""
    unlearned, rule = _unlearned(table)
    if unlearned is None or unlearned.mean() > TOO_MANY:
        return None
    count = int(unlearned[mask].sum())
    if count < UNLEARNED * mask.sum():
        return None
    return (
        f"Many of the examples that the policy {policy.name!r} keeps may have wrong labels. "
        f"Expected fewer than {UNLEARNED:.0%} with {rule}: the probes learned another label for "
        f"them. Received: {count:,} of {mask.sum():,}. Look at them with `doctor --suspects`, or "
        "choose a policy that skips the hardest."
    )


def _unlearned(table):
    """Returns the examples whose label the probes gave less than another one, and the rule.

    Returns:
        Tuple of booleans `(examples,)` and a text, or of two `None` if no score tells it.
    """
    if "aum" in table.names:
        return table["aum"] < 0, "`aum` below 0"
    if "confidence" in table.names:
        classes = np.count_nonzero(np.bincount(table.labels))
        # With less than an equal share of the probability, another class has more.
        return table["confidence"] < 1 / classes, f"`confidence` below 1/{classes}"
    return None, None


def _listed(parts):
    """Returns the first classes of a list as text, and the number of the others."""
    more = f" and {len(parts) - _CLASSES} more" if len(parts) > _CLASSES else ""
    word = "class" if len(parts) == 1 else "the classes"
    return f"{word} {', '.join(parts[:_CLASSES])}{more}"
