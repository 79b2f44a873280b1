"""The diagnosis of the doctor: its numbers by hand, and its sentences."""

import json

import numpy as np
import pytest
from scipy import stats

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.wrong_labels.advice import advise, over_represented
from keras_pruning.wrong_labels.diagnosis import Diagnosis, Finding, diagnose
from keras_pruning.wrong_labels.hardest import hardest_class_shares
from keras_pruning.wrong_labels.report import as_tables

CLEAN = np.array([0, 1, 0, 1, 0, 1])
PLANTED = np.array([1, 0, 0, 1, 0, 1])


def table(noisy=PLANTED, lower_is_harder=(), reliability=None, **scores):
    metadata = {
        "scores": {
            name: {"higher_is_harder": name not in lower_is_harder, "mode": "eval"}
            for name in scores
        }
    }
    if reliability is not None:
        metadata["reliability"] = reliability
    ids = [str(row) for row in range(len(noisy))]
    return kp.ScoreTable(ids, noisy, scores, metadata=metadata)


def finding(score="el2n", auroc=0.95, reliability=0.95, shares=(0.5, 0.5), **changes):
    fields = {"mode": "eval", "average_precision": 0.5, "probes": 4, "split_half": 0.5}
    fields |= {"probes_for_90": 3, **changes}
    return Finding(score, auroc=auroc, reliability=reliability, class_shares=list(shares), **fields)


def diagnosis(*findings, correlations=None, shares=(0.5, 0.5)):
    correlations = np.eye(len(findings)) if correlations is None else np.array(correlations)
    names = ["cat", "dog"]
    return Diagnosis(0.1, 1000, 100, names, list(shares), list(findings), correlations)


def test_auroc_and_average_precision_by_hand():
    # From the hardest down: wrong, right, wrong, right, right, right.
    some = [0.9, 0.7, 0.8, 0.1, 0.2, 0.3]
    found = diagnose(
        table(
            lower_is_harder=["aum"],
            perfect=[5, 4, 3, 2, 1, 0],
            inverted=[0, 1, 2, 3, 4, 5],
            constant=[7] * 6,
            some=some,
            aum=[-value for value in some],
        ),
        CLEAN,
        ["a", "b"],
        0.3,
    )
    assert (found.noise, found.examples, found.planted) == (0.3, 6, 2)
    assert [each.auroc for each in found.findings] == [1.0, 0.0, 0.5, 7 / 8, 7 / 8]
    # Wrong labels come last: at ranks 5 and 6, the precision there is 1/5 and 2/6.
    expected = [1.0, (1 / 5 + 2 / 6) / 2, 2 / 6, (1 + 2 / 3) / 2, (1 + 2 / 3) / 2]
    np.testing.assert_allclose([each.average_precision for each in found.findings], expected)
    assert found.best.score == "perfect"


def test_of_equal_auroc_the_higher_average_precision_is_best():
    pair = [finding("a", 0.95, average_precision=0.3), finding("b", 0.95, average_precision=0.4)]
    assert diagnosis(*pair).best.score == diagnosis(*pair[::-1]).best.score == "b"


def test_reliability_is_read_where_there_is_some():
    recorded = {"seeds": 4, "split_half": 0.7, "spearman_brown": 0.82, "seeds_for_0.9": 8}
    nothing = {**recorded, "spearman_brown": float("nan"), "seeds_for_0.9": None}
    scores = {name: np.arange(6) for name in ("el2n", "vog", "constant")}
    reliability = {"el2n": recorded, "constant": nothing}
    found = diagnose(table(reliability=reliability, **scores), CLEAN, "ab", 0.3).findings
    assert (found[0].probes, found[0].split_half) == (4, 0.7)
    assert (found[0].reliability, found[0].probes_for_90) == (0.82, 8)
    assert (found[1].probes, found[1].reliability, found[1].probes_for_90) == (None, None, None)
    assert found[2].reliability is None
    without = diagnose(table(**scores), CLEAN, "ab", 0.3).findings
    assert without[0].reliability is None
    assert without[0].mode == "eval"


def test_correlations_are_of_difficulties():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 6))
    scores = {"one": one, "aum": -one, "other": other, "constant": np.ones(6)}
    found = diagnose(table(lower_is_harder=["aum"], **scores), CLEAN, "ab", 0.3)
    rho = stats.spearmanr(one, other).statistic
    expected = [[1, 1, rho], [1, 1, rho], [rho, rho, 1]]
    np.testing.assert_allclose(found.correlations[:3, :3], expected, atol=1e-6)
    assert np.isnan(found.correlations[3]).all()
    stored = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert stored["correlations"][3] == [None] * 4
    alone = diagnose(table(one=one), CLEAN, "ab", 0.3)
    np.testing.assert_array_equal(alone.correlations, [[1.0]])


def test_class_shares_of_the_hardest_tenth():
    # The hardest 3 of 25 (2.5, rounded up): classes 2, 0, 2.
    labels = np.array([2, 0, 2] + [0] * 12 + [1] * 10)
    shares = hardest_class_shares(-np.arange(25.0), labels, 4)
    np.testing.assert_allclose(shares, [1 / 3, 0, 2 / 3, 0])
    np.testing.assert_array_equal(hardest_class_shares(np.arange(3.0), labels[:3], 3), [0, 0, 1])


def test_ties_at_the_border_count_in_parts():
    # One is inside. Four tie for the second and last place, three of them of class 1.
    difficulty = np.array([9.0, 5, 5, 5, 5] + [0.0] * 15)
    labels = np.array([0, 1, 1, 1, 0] + [0] * 15)
    np.testing.assert_allclose(hardest_class_shares(difficulty, labels, 2), [0.625, 0.375])
    constant = hardest_class_shares(np.zeros(20), labels, 2)
    np.testing.assert_allclose(constant, [17 / 20, 3 / 20])


def test_class_shares_are_counted_without_the_planted_labels():
    clean = np.array([0] * 20 + [1] * 10)
    noisy = clean.copy()
    noisy[:10] = 1  # and the hardest of all
    found = diagnose(table(noisy, el2n=-np.arange(30.0)), clean, ["a", "b"], 1 / 3)
    assert found.class_shares == [0.5, 0.5]
    assert found.findings[0].class_shares == [1.0, 0.0]


def test_nothing_planted_is_an_error():
    for noisy in (CLEAN, 1 - CLEAN):
        with pytest.raises(InputError, match="Nothing to tell apart.*Received: [06] of 6 replaced"):
            diagnose(table(noisy, el2n=np.arange(6)), CLEAN, "ab", 0.1)


def test_the_chance_interval_follows_the_rank_sum():
    rng = np.random.default_rng(0)
    planted = np.arange(300) < 60
    ranks = np.array([rng.permutation(300)[planted].mean() for _ in range(4000)])
    spread = 1.96 * np.std(ranks) / 240
    found = Diagnosis(0.2, 300, 60, [], [], [], None)
    assert found.chance_half_width == pytest.approx(spread, rel=0.05)


def said(*findings, **options):
    return "\n".join(advise(diagnosis(*findings, **options)))


def test_advice_on_the_score_to_use():
    text = said(finding("el2n", 0.991), finding("aum", 0.9), finding("vog", 0.89))
    assert "To find wrong labels, use el2n. " in text and "is 0.991." in text
    assert "Also suitable: aum (0.900)." in text
    assert "Weak: vog (0.890)." in text
    assert "If wrong labels rank as hard, keeping the hardest examples keeps them" in text
    assert "Blind" not in text and "rank as easy" not in text
    assert "`sweep` measures that" in text


def test_advice_where_no_score_will_do():
    text = said(finding("a", 0.61), finding("b", 0.59), finding("c", 0.4), finding("d", 0.39))
    assert "None of these scores is suitable to find wrong labels. The best is a with" in text
    assert "To find wrong labels, use" not in text and "Weak" not in text
    assert (
        "Blind to wrong labels: b (0.590), c (0.400). Do not clean labels by these scores." in text
    )
    assert "Wrong labels rank as easy: d (0.390)." in text
    assert "If wrong labels rank as hard" in text
    assert "If wrong labels rank as hard" not in said(finding("a", 0.59))


def test_advice_on_reliability():
    text = said(
        finding("a", reliability=0.899, probes=4, probes_for_90=5),
        finding("b", reliability=0.9),
        finding("c", reliability=None, probes=None),
        finding("d", reliability=None, probes=2),
        finding("e", reliability=None, probes=1),
        finding("f", reliability=0.5, probes_for_90=14),
        finding("g", reliability=0.49, probes_for_90=15),
    )
    assert "Estimated number of probes for a reliability of 0.9: a 5, f 14, g 15." in text
    assert "Chance decides most of the ranking by g. Do not use" in text
    assert "Do not use d: the probes do not agree at all." in text
    assert "The reliability of c and e is unknown. It takes at least two probes" in text
    assert "eliab" not in said(finding())
    assert "agree" not in said(finding())


def test_advice_on_scores_that_rank_alike():
    names = [finding(name) for name in "abcd"]
    alike = np.eye(4)
    alike[0, 2] = alike[2, 0] = 0.95
    alike[1, 3] = alike[3, 1] = 0.949
    text = said(*names, correlations=alike)
    assert "Nearly the same ranking as a: c. One of them is enough." in text
    assert text.count("Nearly") == 1
    alike[1, 2] = alike[2, 1] = 1.0  # and c is spoken for
    assert said(*names, correlations=alike).count("Nearly") == 1
    text = said(*names, correlations=np.ones((4, 4)))
    assert "Nearly the same ranking as a: b, c, d." in text
    assert text.count("Nearly") == 1
    assert "Nearly" not in said(*names, correlations=np.full((4, 4), np.nan))


@pytest.mark.parametrize(
    ("own", "hardest", "expected"),
    [
        ([0.8, 0.2], [0.55, 0.45], [1]),
        ([0.8, 0.2], [0.61, 0.39], []),  # less than twice its share
        ([0.98, 0.02], [0.95, 0.05], []),  # twice its share, and yet within chance
        ([1.0, 0.0], [1.0, 0.0], []),
    ],
)
def test_over_represented_classes(own, hardest, expected):
    found = finding(shares=hardest)
    assert over_represented(diagnosis(found, shares=own), found) == expected
    text = said(found, shares=own)
    sentence = "Class dog (20% of the data) is over-represented in the hardest tenth by el2n (45%)."
    assert (sentence in text) == bool(expected)
    assert ("balanced" in text) == bool(expected)


def test_classes_that_most_scores_find_hard_come_first():
    classes = 20
    shares = np.zeros((2, classes))
    shares[0, :7], shares[1, 6] = 1 / 7, 1.0
    found = [finding(name, shares=row) for name, row in zip("ab", shares, strict=True)]
    own = np.full(classes, 1 / classes)
    numbers = Diagnosis(0.1, 9000, 0, list("ABCDEFGHIJKLMNOPQRST"), own, found, np.eye(2))
    lines = [line for line in advise(numbers) if line.startswith(("Class", "Some score"))]
    assert len(lines) == 6
    assert lines[0] == (
        "Class G (5% of the data) is over-represented in the hardest tenth by a (14%), b (100%)."
    )
    assert lines[1].startswith("Class A") and lines[5].endswith("2 other classes too.")
    assert over_represented(numbers, found[0]) == [0, 1, 2, 3, 4, 5, 6]


def shown(numbers):
    """The titles and the columns of the tables, each a list of cells."""
    return [
        (title, {str(column.header): list(map(str, column.cells)) for column in table.columns})
        for title, table in as_tables(numbers)
    ]


def test_tables_start_with_the_best_score():
    some = finding("some", 0.7, reliability=None, probes=None, probes_for_90=None, mode=None)
    pair = [some, finding("best", 0.98765, shares=(0.25, 0.75))]
    numbers = diagnosis(*pair, correlations=[[1.0, np.nan], [-0.004, -0.246]])
    (title, found), (_, correlations), (_, shares) = shown(numbers)
    assert title.startswith("Finding 100 wrong labels among 1,000 examples. By chance")
    assert title.endswith("AUROC is 0.5 ± 0.06, the precision 0.1")
    assert found["score"] == ["best", "some"]
    assert found["AUROC"] == ["0.988", "0.700"]
    assert found["average precision"] == ["0.500", "0.500"]
    assert [found[name][1] for name in ("probes", "reliability", "probes for 0.9")] == ["–"] * 3
    assert [found[name][0] for name in ("probes", "reliability", "mode")] == ["4", "0.95", "eval"]
    assert correlations[""] == ["1 some", "2 best"]
    assert (correlations["1"], correlations["2"]) == (["100", "0"], ["–", "-25"])
    assert shares["score"] == ["all examples", "some", "best"]
    assert (shares["cat"], shares["dog"]) == (["50", "50", "25"], ["50", "50", "75"])
    assert len(shown(diagnosis(pair[0]))) == 2


def test_the_classes_that_differ_most_are_shown():
    own, hardest = np.full(12, 1 / 12), np.full(12, 1 / 12)
    hardest[[3, 7]] -= 0.02
    hardest[[1, 2, 4, 5, 6, 8, 9, 10]] += 0.005
    names = list("abcdefghijkl")
    found = finding(shares=hardest)
    numbers = Diagnosis(0.1, 900, 90, names, own.tolist(), [found], np.ones((1, 1)))
    title, columns = shown(numbers)[-1]
    assert "(the 10 of 12 that differ most)" in title
    assert list(columns) == ["score", *"bcdefghijk"]
