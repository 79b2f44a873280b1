"""Selections that are known to go wrong say so. Lost classes: test_lost_classes.py."""

import warnings

import numpy as np
import pytest
from support.small import run

import keras_pruning as kp
from keras_pruning.selection import Policy
from keras_pruning.selection.cautions import HardestCaution, each_once
from keras_pruning.selection.quotas.quota import Quota

# The text of the caution on keeping the hardest.
HARDEST = r"'hardest' often falls below random pruning with so few examples. Expected at least 30%"


def scored(sizes, **scores):
    """A table of random `el2n`, the same in every class, and of other scores."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    scores = {"el2n": np.random.default_rng(0).random(len(labels)), **scores}
    metadata = {"scores": {name: {"higher_is_harder": name == "el2n"} for name in scores}}
    return kp.ScoreTable(np.arange(len(labels)), labels, scores, metadata=metadata)


def cautions(*arguments, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kp.select(*arguments, **options)
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    ("size", "keep_fraction", "warned"),
    [(100, 0.3, False), (100, 0.29, True), (30, 0.65, True), (30, 0.67, False), (5, 1.0, False)],
)
def test_the_hardest_of_a_small_part_or_few_a_class(size, keep_fraction, warned):
    texts = cautions(scored([size] * 3), "el2n", keep_fraction)
    assert len(texts) == warned
    for policy in ("easiest", "random"):
        assert cautions(scored([size] * 3), "el2n", keep_fraction, policy) == []


def test_the_caution_on_the_hardest_has_its_numbers_and_line():
    with pytest.warns(HardestCaution, match=HARDEST) as caught:
        kp.select(scored([100] * 3), "el2n", 0.125)
    assert "and 20 examples a class. Received: 12.5% of the data, 12.7" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_an_own_policy_declares_that_it_keeps_the_hardest():
    class Own(Policy):
        name = "own"

        def __init__(self, hard):
            self.keeps_hardest = hard

        def choose(self, candidates, count, rng):
            return np.arange(count)

    table = scored([300])
    assert len(cautions(table, "el2n", 0.1, Own(True))) == 1
    assert cautions(table, "el2n", 0.1, Own(False)) == []


@pytest.mark.parametrize(("kept", "warned"), [(3, True), (4, False)])
def test_a_class_below_a_tenth_of_its_share(kept, warned):
    """Of class 1, 40 of its 400 examples would be its share in a tenth of 4,000."""
    rank = np.arange(4000.0)
    rank[3600 : 3600 + kept] += 10_000
    rank[3600 + kept :] -= 10_000
    table = scored([3600, 400], el2n=rank)
    texts = cautions(table, "el2n", 0.1, Loud())
    assert len(texts) == warned
    if warned:
        assert (
            ", or less than a tenth of the share, of some classes. Expected about 10% of"
            in texts[0]
        )
        assert (
            f"Received: few of class 1 ({kept} of 400), among 400 kept of 4,000. Set `q" in texts[0]
        )
    assert cautions(table, "el2n", 0.1, Loud(), Few()) == []


class Few(Quota):
    """Gives three examples to the second class."""

    name = "few"

    def counts(self, available, total, rng):
        return np.array([total - 3, 3])


class Loud(Policy):
    """Keeps the hardest and does not say so."""

    name = "loud"

    def choose(self, candidates, count, rng):
        return np.argsort(-candidates.difficulty)[:count]


@pytest.mark.parametrize(
    ("score", "low", "high", "rule"),
    [("aum", -0.1, 0.1, "`aum` below 0"), ("confidence", 0.24, 0.26, "`confidence` below 1/4")],
)
def test_many_unlearned_labels_among_the_hardest(score, low, high, rule):
    for count, warned in [(49, False), (50, True)]:
        table = scored([250] * 4)
        # Some of the 200 hardest have labels that the probes did not learn.
        values = np.full(1000, high)
        values[np.argsort(-table["el2n"])[:count]] = low
        # Those that are not kept do not count.
        values[np.argsort(table["el2n"])[:9]] = low
        texts = cautions(scored([250] * 4, **{score: values}), "el2n", 0.4)
        texts += cautions(scored([250] * 4, **{score: values}), "el2n", 0.2)[1:]
        assert len(texts) == warned, texts
        if warned:
            assert "may have wrong labels. Expected fewer than 25% with " + rule in texts[0]
            assert "Received: 50 of 200. Look at them with `doctor --suspects`" in texts[0]
        for policy in ("easiest", "random"):
            assert cautions(scored([250] * 4, **{score: values}), "el2n", 0.2, policy) == []


def test_probes_that_learned_too_little_say_nothing_of_labels():
    table = scored([250] * 4, aum=np.where(np.arange(1000) < 301, -1.0, 1.0))
    assert cautions(table, "aum", 0.5) == []
    table = scored([250] * 4, aum=np.where(np.arange(1000) < 300, -1.0, 1.0))
    assert len(cautions(table, "aum", 0.5)) == 1


def test_several_warnings_of_one_kind_are_given_once():
    with pytest.warns(UserWarning) as caught, each_once():
        for fraction in (0.1, 0.2):
            kp.select(scored([1000]), "el2n", fraction)
        warnings.warn("Another.", UserWarning, stacklevel=1)
    assert len(caught) == 2
    assert "Received: 10% of the data" in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with each_once(ignored=(HardestCaution,)):
            kp.select(scored([1000]), "el2n", 0.1)


def test_prune_warns_once_for_several_fractions(tmp_path, capsys):
    scored([1000]).save(tmp_path / "s.parquet")
    arguments = ["--scores", tmp_path / "s.parquet", "--by", "el2n", "--keep-fraction", 0.1, 0.2]
    assert run("prune", *arguments, "--output", tmp_path / "kept") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: The policy 'hardest' often falls below random")
