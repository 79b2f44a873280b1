"""What a diagnosis means, in plain sentences; every threshold stands here."""

import numpy as np

from keras_pruning.doctor.diagnosis import HARDEST

# AUROC: from FINDS up a score is fit for cleaning; below WEAK it is blind; below BLIND it ranks
# wrong labels as easy.
FINDS, WEAK, BLIND = 0.9, 0.6, 0.4
# Reliability: from RELIABLE up there are enough probes; below CHANCE another set of probes would
# rank differently.
RELIABLE, CHANCE = 0.9, 0.5
# Rank correlation from which one of two scores is enough.
SAME = 0.95
# A class is over-represented at twice its share and beyond chance.
TIMES, DEVIATIONS = 2.0, 3.0
# So many of such classes are named.
CLASSES = 5


def advise(diagnosis):
    """Says what to use and what not.

    Args:
        diagnosis: `Diagnosis`.

    Returns:
        List of sentences.
    """
    return [
        *_on_finding(diagnosis),
        *_on_keeping(diagnosis),
        *_on_reliability(diagnosis.findings),
        *_on_likeness(diagnosis),
        *_on_classes(diagnosis),
        "Seeing wrong labels does not make a score good for pruning: `sweep` answers that.",
    ]


def _on_finding(diagnosis):
    best = diagnosis.best
    fit = _between(diagnosis, FINDS, 2.0)
    if best.auroc >= FINDS:
        others = [found for found in fit if found is not best]
        lines = [
            f"To find wrong labels use {best.score}: its AUROC, the part of all pairs in which "
            f"the wrong label ranks harder than the right one, is {best.auroc:.3f}."
        ]
        lines += [f"Fit for it as well: {_listed(others)}."] * bool(others)
    else:
        lines = [
            f"None of these scores is fit to find wrong labels: {best.score} comes closest with "
            f"an AUROC of {best.auroc:.3f}, and {FINDS} is asked for. Take others, such as el2n, "
            "aum or confidence, if these are not among them, or train the probes for longer."
        ]
    weak = [found for found in _between(diagnosis, WEAK, FINDS) if found is not best]
    if weak:
        lines.append(f"Weak at it: {_listed(weak)}. Do not clean by them.")
    blind = _between(diagnosis, BLIND, WEAK)
    if blind:
        lines.append(f"Blind to wrong labels: {_listed(blind)}. Do not clean by them.")
    return lines


def _on_keeping(diagnosis):
    """What the selection policies make of wrong labels."""
    lines = []
    if diagnosis.best.auroc >= WEAK:
        lines.append(
            "Where wrong labels rank as hard, keeping the hardest keeps them and prunes right "
            "ones: clean the labels first, or compare with `policy: easiest`."
        )
    inverted = _between(diagnosis, -1.0, BLIND)
    if inverted:
        lines.append(
            f"Wrong labels rank as easy: {_listed(inverted)}. The hardest examples are then not "
            "the wrong ones, and keeping the easiest keeps wrong labels and prunes right ones."
        )
    return lines


def _on_reliability(findings):
    lines = []
    chance = [found for found in findings if _is_below(found, CHANCE)]
    if chance:
        lines.append(
            f"Chance decides most of the ranking by {_names(chance)}: of no use with so few probes."
        )
    more = [found for found in findings if _is_below(found, RELIABLE)]
    if more:
        needs = ", ".join(f"{found.score} {found.probes_for_90}" for found in more)
        lines.append(f"Probes needed for a reliability of {RELIABLE}, about: {needs}.")
    none = [found for found in findings if found.reliability is None]
    unlike = [found for found in none if (found.probes or 1) > 1]
    if unlike:
        lines.append(f"Do not use {_names(unlike)}: the probes do not agree on it at all.")
    unknown = [found for found in none if found not in unlike]
    if unknown:
        lines.append(
            f"The reliability of {_names(unknown)} is unknown: that takes two probes or more "
            "(`probe.seeds`, or `seeds` of the score)."
        )
    return lines


def _on_likeness(diagnosis):
    """Groups of scores that rank alike, each named after its first member."""
    names = [found.score for found in diagnosis.findings]
    lines, told = [], set()
    for row, name in enumerate(names):
        like = [
            other
            for column, other in enumerate(names)
            if column > row and other not in told and diagnosis.correlations[row, column] >= SAME
        ]
        if like and name not in told:
            told.update(like)
            lines.append(f"Nearly the ranking of {name}: {', '.join(like)}; one of them will do.")
    return lines


def _on_classes(diagnosis):
    over = {}
    for found in diagnosis.findings:
        for index in over_represented(diagnosis, found):
            over.setdefault(index, []).append(f"{found.score} ({found.class_shares[index]:.0%})")
    worst = sorted(over, key=lambda index: -len(over[index]))
    lines = [
        f"Class {diagnosis.class_names[index]} ({diagnosis.class_shares[index]:.0%} of the data) "
        f"is over-represented in the hardest tenth by {', '.join(over[index])}."
        for index in worst[:CLASSES]
    ]
    if len(worst) > CLASSES:
        lines.append(f"So are {len(worst) - CLASSES} other classes, by some score.")
    if worst:
        lines.append("Before you prune by these, compare with a class quota: `quota: balanced`.")
    return lines


def over_represented(diagnosis, found):
    """The classes that are too frequent among the hardest tenth.

    Args:
        diagnosis: `Diagnosis`.
        found: one of its findings.

    Returns:
        List of class numbers: those with more than twice their share, and more than three
        standard deviations above what a random tenth would hold.
    """
    own, hardest = np.array(diagnosis.class_shares), np.array(found.class_shares)
    count = max(1.0, HARDEST * (diagnosis.examples - diagnosis.planted))
    chance = np.sqrt(own * (1 - own) / count)
    over = (hardest > TIMES * own) & (hardest > own + DEVIATIONS * chance)
    return np.flatnonzero(over).tolist()


def _between(diagnosis, low, high):
    """The findings with an AUROC in [low, high), the best first."""
    found = [found for found in diagnosis.findings if low <= found.auroc < high]
    return sorted(found, key=lambda found: -found.auroc)


def _is_below(found, threshold):
    return found.reliability is not None and found.reliability < threshold


def _listed(findings):
    return ", ".join(f"{found.score} ({found.auroc:.3f})" for found in findings)


def _names(findings):
    *names, last = [found.score for found in findings]
    return f"{', '.join(names)} and {last}" if names else last
