"""Entropy, margin and least confidence: how uncertain the prediction is, whatever the label."""

from keras import ops

from keras_pruning.scores.score import OneEpochScore


def entropy(log_probabilities):
    """Returns −Σ p log p of each example, in nats.

    Args:
        log_probabilities: finite floats `(batch, classes)`.

    Returns:
        Floats `(batch,)` in [0, log C].
    """
    # From logarithms, because 0 · log 0 of probabilities is NaN.
    return -ops.sum(ops.exp(log_probabilities) * log_probabilities, axis=-1)


def probability_margin(probabilities):
    """Returns the largest minus the second largest probability of each example.

    Args:
        probabilities: floats `(batch, classes)`, of at least two classes.

    Returns:
        Floats `(batch,)` in [0, 1].
    """
    largest = ops.top_k(probabilities, 2)[0]
    return largest[:, 0] - largest[:, 1]


class Entropy(OneEpochScore):
    """Entropy of the prediction. Labels are not used.

    Formula:
        entropy = −Σ_c p_c log p_c

    The entropy is in nats. It is taken in eval mode at the end of one epoch.

    Args:
        epoch: epoch to score at the end of, counted from 1. Defaults to the last one.

    Raises:
        InputError: if `epoch` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=[Entropy()])

    Reference:
        Coleman et al., Selection via Proxy, 2020, section 2 (arXiv 1906.11829).
    """

    name = "entropy"
    higher_is_harder = True

    def observe(self, signal):
        return entropy(signal.log_probabilities)


class Margin(OneEpochScore):
    """Margin between the two most probable classes. Low is hard. Labels are not used.

    Formula:
        margin = p₍₁₎ − p₍₂₎

    The margin is taken in eval mode at the end of one epoch. The margin of `AUM` is another one: it
    compares the logit of the label with the others.

    Args:
        epoch: epoch to score at the end of, counted from 1. Defaults to the last one.

    Raises:
        InputError: if `epoch` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=[Margin()])

    Reference:
        Scheffer et al., Active Hidden Markov Models for Information Extraction, 2001, section 4.
    """

    name = "margin"
    higher_is_harder = False
    fewest_classes = 2

    def observe(self, signal):
        return probability_margin(signal.probabilities)


class LeastConfidence(OneEpochScore):
    """Least confidence: how far the probability of the predicted class is from 1.

    Formula:
        least confidence = 1 − max_c p_c

    The probability is taken in eval mode at the end of one epoch. Labels are not used.

    Args:
        epoch: epoch to score at the end of, counted from 1. Defaults to the last one.

    Raises:
        InputError: if `epoch` is not a positive integer.

    Example:
        >>> callback = ScoreCallback(examples, scores=[LeastConfidence()])

    Reference:
        Coleman et al., Selection via Proxy, 2020, section 2 (arXiv 1906.11829).
    """

    name = "least_confidence"
    higher_is_harder = True

    def observe(self, signal):
        return 1 - ops.max(signal.probabilities, axis=-1)
