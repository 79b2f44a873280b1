"""How far a training run has come, and which of its epochs each score has seen."""

from dataclasses import dataclass, field


@dataclass
class Progress:
    """The plan of a training run, and the part of it that was observed.

    Epochs are counted from 1. The observed epochs have no gaps.

    Args:
        epochs: planned length of the run.
        due: dictionary from the name of each score to the list of epochs that it looks at.
        first: number of epochs that the run had before it was observed.
        reached: the last epoch that was observed, or `first`.
        seen: dictionary from the name of each score to the list of epochs that it has seen.
        highest_rate: the highest learning rate so far.
        drop: the epoch that began with a dropped learning rate, or `None`.
        weights_changed: whether the trained model has other weights than at the end of its last
            epoch, for example because `EarlyStopping` has restored better ones.
    """

    epochs: int
    due: dict
    first: int = 0
    reached: int = 0
    seen: dict = field(default_factory=dict)
    highest_rate: float = 0.0
    drop: int | None = None
    weights_changed: bool = False

    def __post_init__(self):
        self.reached = max(self.reached, self.first)
        self.seen = self.seen or {name: [] for name in self.due}

    @property
    def observed(self):
        """List of the epochs that were observed."""
        return list(range(self.first + 1, self.reached + 1))

    @property
    def is_over(self):
        """Whether the run has reached its planned length."""
        return self.reached >= self.epochs

    def note_rate(self, learning_rate):
        """Notes the learning rate. It has dropped if it is half of its highest value or less."""
        self.highest_rate = max(self.highest_rate, learning_rate)
        half = self.highest_rate / 2
        if self.drop is None and learning_rate <= half < self.highest_rate:
            self.drop = self.reached + 1

    def is_due(self, score, epoch):
        """Returns whether a score looks at the end of an epoch."""
        # Past a drop, scores that end before it have all their values.
        dropped = score.before_learning_rate_drop and self.drop is not None
        return epoch in self.due[score.name] and not dropped

    def missed(self, score):
        """Returns the list of epochs that a score looks at and has not seen."""
        due, seen = self.due[score.name], self.seen[score.name]
        end = self.drop if score.before_learning_rate_drop else None
        return [epoch for epoch in due if epoch not in seen and (end is None or epoch < end)]

    def is_part(self, score):
        """Returns whether a score of several epochs has seen only some of them."""
        return len(self.due[score.name]) > 1 and bool(self.missed(score))


def spans(epochs):
    """Returns ascending epochs as a short text, for example `"1-5, 8"`, or `"none"`."""
    parts = []
    for epoch in epochs:
        if parts and parts[-1][1] == epoch - 1:
            parts[-1][1] = epoch
        else:
            parts.append([epoch, epoch])
    texts = [f"{low}-{high}" if low < high else f"{low}" for low, high in parts]
    return ", ".join(texts) or "none"
