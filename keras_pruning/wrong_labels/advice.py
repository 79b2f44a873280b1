"""Turns a diagnosis into plain sentences. All thresholds are at the top of this file."""

import numpy as np

from keras_pruning.wrong_labels.hardest import HARDEST

# AUROC: a score is suitable for cleaning from FINDS up and blind below WEAK. Below BLIND it ranks
# wrong labels as easy.
FINDS, WEAK, BLIND = 0.9, 0.6, 0.4
# Reliability: there are enough probes from RELIABLE up. Below CHANCE another set of probes would
# rank the examples differently.
RELIABLE, CHANCE = 0.9, 0.5
# Rank correlation from which one of two scores is enough.
SAME = 0.95
# A class is over-represented from TIMES its share and DEVIATIONS standard deviations above it.
TIMES, DEVIATIONS = 2.0, 3.0
# Most classes to name.
CLASSES = 5
# Scores that found wrong labels best where they were measured (docs/wrong_labels.md).
_GOOD = ("aum", "confidence", "el2n")


def advise(diagnosis):
    """Returns advice on which scores to use, a list of sentences.

    Args:
        diagnosis: `Diagnosis`.
    """
    return [
        *_on_finding(diagnosis),
        *_on_keeping(diagnosis),
        *_on_reliability(diagnosis.findings),
        *_on_likeness(diagnosis),
        *_on_classes(diagnosis),
        "A score that finds wrong labels is not always good for pruning: `sweep` measures that.",
    ]


def _on_finding(diagnosis):
    """Returns sentences on which scores find wrong labels."""
    best = diagnosis.best
    suitable = _between(diagnosis, FINDS, 2.0)
    if best.auroc >= FINDS:
        others = [finding for finding in suitable if finding is not best]
        lines = [
            f"To find wrong labels, use {best.score}. Its AUROC, the fraction of all pairs in "
            f"which the wrong label ranks harder than the right one, is {best.auroc:.3f}."
        ]
        if others:
            lines.append(f"Also suitable: {_listed(others)}.")
    else:
        taken = {finding.score for finding in diagnosis.findings}
        others = [name for name in _GOOD if name not in taken]
        more = f"Add other scores, such as {' or '.join(others)}, or train" if others else "Train"
        lines = [
            f"None of these scores is suitable to find wrong labels. The best is {best.score} with "
            f"an AUROC of {best.auroc:.3f}, and {FINDS} is recommended. {more} the probes for "
            "longer."
        ]
    weak = [finding for finding in _between(diagnosis, WEAK, FINDS) if finding is not best]
    if weak:
        lines.append(f"Weak: {_listed(weak)}. Do not clean labels by these scores.")
    blind = _between(diagnosis, BLIND, WEAK)
    if blind:
        lines.append(
            f"Blind to wrong labels: {_listed(blind)}. Do not clean labels by these scores."
        )
    return lines


def _on_keeping(diagnosis):
    """Returns sentences on the effect of selection policies on wrong labels."""
    lines = []
    if diagnosis.best.auroc >= WEAK:
        lines.append(
            "If wrong labels rank as hard, keeping the hardest examples keeps them and prunes "
            "right ones. Clean the labels first, or compare with `policy: easiest`."
        )
    inverted = _between(diagnosis, -1.0, BLIND)
    if inverted:
        lines.append(
            f"Wrong labels rank as easy: {_listed(inverted)}. The hardest examples are then not "
            "the wrong ones, and keeping the easiest keeps wrong labels and prunes right ones."
        )
    return lines


def _on_reliability(findings):
    """Returns sentences on scores that need more probes."""
    lines = []
    chance = [finding for finding in findings if _is_below(finding, CHANCE)]
    if chance:
        lines.append(
            f"Chance decides most of the ranking by {_names(chance)}. Do not use a ranking from so "
            "few probes."
        )
    more = [finding for finding in findings if _is_below(finding, RELIABLE)]
    if more:
        needs = ", ".join(f"{finding.score} {finding.probes_for_90}" for finding in more)
        lines.append(f"Estimated number of probes for a reliability of {RELIABLE}: {needs}.")
    # A reliability of None has two reasons: the probes do not agree, or there is only one
    none = [finding for finding in findings if finding.reliability is None]
    unlike = [finding for finding in none if (finding.probes or 1) > 1]
    if unlike:
        lines.append(f"Do not use {_names(unlike)}: the probes do not agree at all.")
    unknown = [finding for finding in none if finding not in unlike]
    if unknown:
        lines.append(
            f"The reliability of {_names(unknown)} is unknown. It takes at least two probes "
            "(`probe.seeds`, or `seeds` of the score)."
        )
    return lines


def _on_likeness(diagnosis):
    """Returns a sentence for each group of scores that rank alike, named after its first member."""
    names = [finding.score for finding in diagnosis.findings]
    lines, grouped = [], set()
    for row, name in enumerate(names):
        alike = [
            other
            for column, other in enumerate(names)
            if column > row and other not in grouped and diagnosis.correlations[row, column] >= SAME
        ]
        if alike and name not in grouped:
            grouped.update(alike)
            lines.append(
                f"Nearly the same ranking as {name}: {', '.join(alike)}. One of them is enough."
            )
    return lines


def _on_classes(diagnosis):
    """Returns sentences on classes that are too frequent among the hardest examples."""
    scores_by_class = {}
    for finding in diagnosis.findings:
        for index in over_represented(diagnosis, finding):
            share = finding.class_shares[index]
            scores_by_class.setdefault(index, []).append(f"{finding.score} ({share:.0%})")
    # Classes that most scores find hard come first
    worst = sorted(scores_by_class, key=lambda index: -len(scores_by_class[index]))
    lines = [
        f"Class {diagnosis.class_names[index]} ({diagnosis.class_shares[index]:.0%} of the data) "
        f"is over-represented in the hardest tenth by {', '.join(scores_by_class[index])}."
        for index in worst[:CLASSES]
    ]
    if len(worst) > CLASSES:
        lines.append(f"Some score over-represents {len(worst) - CLASSES} other classes too.")
    if worst:
        lines.append(
            "Before you prune by these scores, compare with a class quota: `quota: balanced`."
        )
    return lines


def over_represented(diagnosis, finding):
    """Returns the classes that are too frequent among the hardest tenth.

    Args:
        diagnosis: `Diagnosis`.
        finding: one of its findings.

    Returns:
        List of class numbers: those with more than twice their share, and more than three
        standard deviations above the share in a random tenth.
    """
    shares, hardest = np.array(diagnosis.class_shares), np.array(finding.class_shares)
    count = max(1.0, HARDEST * (diagnosis.examples - diagnosis.planted))
    deviation = np.sqrt(shares * (1 - shares) / count)
    over = (hardest > TIMES * shares) & (hardest > shares + DEVIATIONS * deviation)
    return np.flatnonzero(over).tolist()


def _between(diagnosis, low, high):
    """Returns the findings with an AUROC in [low, high), the best first."""
    findings = [finding for finding in diagnosis.findings if low <= finding.auroc < high]
    return sorted(findings, key=lambda finding: -finding.auroc)


def _is_below(finding, threshold):
    return finding.reliability is not None and finding.reliability < threshold


def _listed(findings):
    return ", ".join(f"{finding.score} ({finding.auroc:.3f})" for finding in findings)


def _names(findings):
    *names, last = [finding.score for finding in findings]
    return f"{', '.join(names)} and {last}" if names else last
