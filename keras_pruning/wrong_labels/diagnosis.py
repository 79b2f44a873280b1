"""Measures how well each score detects labels that were flipped on purpose."""

from dataclasses import asdict, dataclass

import numpy as np

from keras_pruning.errors import InputError
from keras_pruning.statistics.intervals import auroc_chance_half_width
from keras_pruning.statistics.ranks import rank_correlations
from keras_pruning.wrong_labels.advice import advise
from keras_pruning.wrong_labels.hardest import hardest_class_shares


@dataclass(frozen=True)
class Finding:
    """The numbers of one score.

    Args:
        score: name of the score.
        mode: the outputs it was taken from, `"eval"` or `"train"`; `None` if not recorded.
        auroc: probability that a wrong label ranks harder than a right one, ties counted half.
            Chance is 0.5. Below it, wrong labels rank as easy.
        average_precision: mean precision over the wrong labels, from the hardest example down.
            Chance is the fraction of wrong labels.
        probes: number of probes, `None` if not recorded.
        split_half: Spearman rank correlation of one half of the probes with the other.
        reliability: reliability of all probes together (Spearman–Brown). `None` with one probe,
            and if several do not agree at all.
        probes_for_90: number of probes for a reliability of 0.9, `None` if unknown.
        class_shares: share of each class among the hardest tenth of the examples with their own
            label, floats that sum to 1. Planted labels would fill that tenth.
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


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """The numbers of all scores.

    Args:
        noise: fraction of the labels that was replaced.
        examples: number of examples N.
        planted: number of examples with a wrong label.
        class_names: C strings.
        class_shares: share of each class among the examples with their own label.
        findings: list of `Finding`, in the order of the score table.
        correlations: Spearman rank correlations of the difficulties, floats `(scores, scores)`,
            NaN for a score that is the same for all examples.
    """

    noise: float
    examples: int
    planted: int
    class_names: list[str]
    class_shares: list[float]
    findings: list[Finding]
    correlations: np.ndarray

    def __repr__(self):
        ranked = sorted(self.findings, key=lambda finding: -finding.auroc)
        shown = ", ".join(f"{finding.score} {finding.auroc:.3f}" for finding in ranked)
        return f"<Diagnosis of {self.planted:,} wrong labels in {self.examples:,}: AUROC {shown}>"

    @property
    def advice(self):
        """Sentences on the scores to use, a list."""
        return advise(self)

    @property
    def best(self):
        """The finding with the highest AUROC, then the highest average precision."""
        return max(self.findings, key=lambda finding: (finding.auroc, finding.average_precision))

    @property
    def chance_half_width(self):
        """Half the width of the 95 % interval of a blind score's AUROC, around 0.5."""
        return auroc_chance_half_width(self.planted, self.examples - self.planted)

    def as_dict(self):
        """Returns the diagnosis as a dictionary for JSON, with `None` in the place of NaN."""
        rows = [[_finite(value) for value in row] for row in self.correlations.tolist()]
        return {**asdict(self), "correlations": rows}


def diagnose(table, clean_labels, class_names, noise):
    """Compares the scores of noisy labels with the labels before the noise.

    Args:
        table: `ScoreTable` of the noisy examples.
        clean_labels: integers `(examples,)`, in the order of `table.ids`.
        class_names: C strings.
        noise: fraction of the labels that was replaced.

    Returns:
        `Diagnosis`.

    Raises:
        InputError: if no label differs, or all do.
    """
    planted = table.labels != clean_labels
    if planted.all() or not planted.any():
        raise InputError(
            "Nothing to tell apart. Expected labels with some, not all, of them replaced. "
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
    # scikit-learn takes seconds to load, which `--help` does without.
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
    """Returns `value`, or `None` for the NaN of a constant score, which has no correlation."""
    return value if value is not None and np.isfinite(value) else None


def _correlations(table):
    if len(table.names) == 1:
        return np.ones((1, 1))
    return rank_correlations([table.difficulty(name) for name in table.names])
