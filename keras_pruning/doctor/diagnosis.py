"""What the scores do on data of which it is known which labels are wrong; numbers only."""

from dataclasses import asdict, dataclass

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.examples.fractions import rounded_count
from keras_pruning.statistics.ranks import rank_correlations

HARDEST = 0.1


@dataclass(frozen=True)
class Finding:
    """What one score does.

    Args:
        score: name of the score.
        mode: the outputs it was taken from, `"eval"` or `"train"`; `None` if not recorded.
        auroc: the probability that a wrong label is ranked harder than a right one, ties half;
            0.5 is chance, below it wrong labels are ranked as easy.
        average_precision: mean precision over the wrong labels, from the hardest example down;
            chance is the part of the labels that is wrong.
        probes: how many probes the score is from; `None` if not recorded.
        split_half: Spearman rank correlation of one half of the probes with the other.
        reliability: what `split_half` says about all of them together (Spearman–Brown); `None`
            with one probe, and where several do not agree at all.
        probes_for_90: how many probes reach a reliability of 0.9; `None` if unknown.
        class_shares: the share of each class among the hardest tenth of the examples whose label
            was left alone, floats that sum to 1. With the wrong labels in it they would fill it.
    """

    score: str
    mode: str | None
    auroc: float
    average_precision: float
    probes: int | None
    split_half: float | None
    reliability: float | None
    probes_for_90: int | None
    class_shares: list[float]


@dataclass(frozen=True)
class Diagnosis:
    """What all scores do.

    Args:
        noise: part of the labels that was replaced.
        examples: number of examples N.
        planted: how many of them got a wrong label.
        class_names: C strings.
        class_shares: the share of each class among the examples whose label was left alone.
        findings: list of `Finding`, in the order of the score table.
        correlations: Spearman rank correlations of the difficulties, floats `(scores, scores)`;
            NaN where a score is the same for all examples.
    """

    noise: float
    examples: int
    planted: int
    class_names: list[str]
    class_shares: list[float]
    findings: list[Finding]
    correlations: np.ndarray

    @property
    def best(self):
        """The finding of the highest AUROC; of equal ones that of higher average precision."""
        return max(self.findings, key=lambda found: (found.auroc, found.average_precision))

    @property
    def chance_half_width(self):
        """How far from 0.5 the AUROC of a blind score lies by chance, in 95 of 100 cases."""
        right = self.examples - self.planted
        return 1.96 * float(np.sqrt((self.examples + 1) / (12 * self.planted * right)))

    def as_dict(self):
        """The diagnosis as JSON holds it: NaN becomes `None`."""
        rows = [[_finite(value) for value in row] for row in self.correlations.tolist()]
        return {**asdict(self), "correlations": rows}


def diagnose(table, clean_labels, class_names, noise):
    """Holds the scores of noisy labels against the labels as they were.

    Args:
        table: `ScoreTable` of the noisy examples.
        clean_labels: integers `(examples,)`, in the order of `table.ids`.
        class_names: C strings.
        noise: part of the labels that was replaced.

    Returns:
        `Diagnosis`.

    Raises:
        InputError: if no label differs, or all do.
    """
    planted = table.labels != clean_labels
    if planted.all() or not planted.any():
        raise InputError(
            "Nothing to tell apart. Expected labels of which some, not all, were replaced. "
            f"Received: {int(planted.sum())} of {len(planted)} replaced"
        )
    classes = len(class_names)
    findings = [_finding(table, name, planted, classes) for name in table.names]
    shares = np.bincount(table.labels[~planted], minlength=classes) / np.sum(~planted)
    return Diagnosis(
        noise=float(noise),
        examples=len(table),
        planted=int(planted.sum()),
        class_names=list(class_names),
        class_shares=shares.tolist(),
        findings=findings,
        correlations=_correlations(table),
    )


def _finding(table, name, planted, classes):
    from sklearn.metrics import average_precision_score, roc_auc_score

    difficulty = table.difficulty(name)
    recorded = table.metadata.get("reliability", {}).get(name) or {}
    shares = hardest_class_shares(difficulty[~planted], table.labels[~planted], classes)
    return Finding(
        score=name,
        mode=table.metadata["scores"][name].get("mode"),
        auroc=float(roc_auc_score(planted, difficulty)),
        average_precision=float(average_precision_score(planted, difficulty)),
        probes=recorded.get("seeds"),
        split_half=_finite(recorded.get("split_half")),
        reliability=_finite(recorded.get("spearman_brown")),
        probes_for_90=recorded.get("seeds_for_0.9"),
        class_shares=shares.tolist(),
    )


def _finite(value):
    """`value`, or `None` where a constant score has no correlation."""
    return value if value is not None and np.isfinite(value) else None


def hardest_class_shares(difficulty, labels, num_classes, part=HARDEST):
    """The share of each class among the hardest examples.

    Examples that tie at the border count in parts, as if which of them are in were drawn often.

    Args:
        difficulty: floats `(examples,)`, higher is harder.
        labels: integers `(examples,)`.
        num_classes: number of classes C.
        part: which part of the examples is the hardest; at least one example.

    Returns:
        Floats `(classes,)` that sum to 1.
    """
    count = max(1, rounded_count(part, len(labels)))
    border = np.sort(difficulty)[-count]
    inside, tied = difficulty > border, difficulty == border
    weights = inside + tied * ((count - inside.sum()) / tied.sum())
    return np.bincount(labels, weights, num_classes) / count


def _correlations(table):
    if len(table.names) == 1:
        return np.ones((1, 1))
    return rank_correlations([table.difficulty(name) for name in table.names])
