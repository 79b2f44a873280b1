"""The verdict against several baselines: a method has to beat each of them."""

import dataclasses

from keras_pruning.statistics.resampling import holm
from keras_pruning.statistics.verdict import BETTER, NOT_SHOWN, WORSE, baseline_verdict, shown
from keras_pruning.statistics.welch import welch


def compared_with_each(values, baselines):
    """Returns the `Verdict` of each method, and the name of the baseline that it is shown against.

    A method is `"better"` if it is better than all of its baselines, and `"worse"` if it is worse
    than any. All comparisons are adjusted together. Difference, interval and seeds are those
    against the strongest baseline, the one of the highest mean. The p-value is the largest one, and
    the smallest of those that show a loss if the verdict is `"worse"`.

    Args:
        values: dictionary from names of methods to accuracies, floats `(runs,)`.
        baselines: dictionary from the methods that are compared to lists of the names of their
            baselines.

    Returns:
        Dictionary from the names of all methods to tuples of a `Verdict` and a name, which is
        `None` for those that are not compared.
    """
    pairs = [(name, other) for name, others in baselines.items() for other in others]
    tests = {pair: welch(*(values[name] for name in pair)) for pair in pairs}
    adjusted = dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))
    of_pairs = {}
    for name, other in pairs:
        test, p = tests[name, other], float(adjusted[name, other])
        of_pairs[name, other] = shown(values[name], values[other], test, p, len(pairs))
    verdicts = {}
    for name in values:
        others = baselines.get(name, [])
        if not others:
            verdicts[name] = baseline_verdict(len(pairs)), None
            continue
        strongest = max(others, key=lambda other: values[other].mean())
        of_method = [of_pairs[name, other] for other in others]
        verdicts[name] = _combined(of_method, of_pairs[name, strongest]), strongest
    return verdicts


def _combined(verdicts, shown_against):
    """Returns the `Verdict` of a method against all of its baselines.

    Args:
        verdicts: list of its `Verdict` against each.
        shown_against: the one against the strongest.
    """
    worse = [verdict.p_adjusted for verdict in verdicts if verdict.verdict == WORSE]
    if worse:
        return _as(shown_against, WORSE, min(worse))
    p = max(verdict.p_adjusted for verdict in verdicts)
    is_better = all(verdict.verdict == BETTER for verdict in verdicts)
    return _as(shown_against, BETTER if is_better else NOT_SHOWN, p)


def _as(verdict, word, p_adjusted):
    needed = verdict.seeds_needed if word == NOT_SHOWN else None
    return dataclasses.replace(verdict, verdict=word, p_adjusted=p_adjusted, seeds_needed=needed)
