"""How far probes agree, by hand, by theory and by simulation, and their mean in one table."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import spearmanr

import keras_pruning as kp
from keras_pruning.reports.scores import reliability_lines
from keras_pruning.statistics.reliability import (
    _splits,
    reliability,
    spearman_brown,
    split_half,
)

NOTHING = {"split_half": None, "spearman_brown": None, "seeds_for_0.9": None}
EXAMPLES = 20_000


def mixture(probes, signal, noise, seed=0):
    """Probes that see the same normal signal, each with a noise of its own, by their variances."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(0, signal**0.5, EXAMPLES)
    return shared + rng.normal(0, noise**0.5, (probes, EXAMPLES))


def rank_correlation(pearson):
    """Spearman's correlation of two normal variables of that Pearson correlation."""
    return 6 / math.pi * math.asin(pearson / 2)


@pytest.mark.parametrize(
    ("correlation", "factor", "expected"),
    [(0.5, 2, 2 / 3), (0.8, 0.5, 2 / 3), (0.5, 9, 0.9), (0.3, 1, 0.3), (1, 7, 1), (0, 7, 0)],
)
def test_spearman_brown_by_hand(correlation, factor, expected):
    assert spearman_brown(correlation, factor) == pytest.approx(expected)


def test_spearman_brown_there_and_back():
    assert spearman_brown(spearman_brown(0.37, 5), 1 / 5) == pytest.approx(0.37)


def test_split_half_by_hand():
    """Ranks 1 2 3 4 and 1 2 4 3: ρ = 1 − 6 · 2 / (4 · 15) = 0.8; halves 0.8, all of them 8/9."""
    found = reliability(np.array([[1.0, 2, 3, 4], [10, 20, 40, 30]]))
    assert found["seeds"] == 2
    assert found["split_half"] == pytest.approx(0.8)
    assert found["spearman_brown"] == pytest.approx(1.6 / 1.8)
    assert found["seeds_for_0.9"] == math.ceil(0.9 * 0.2 / (0.8 * 0.1)) == 3


def test_ties_share_a_rank():
    values = np.array([[0.0, 0, 1, 2, 2, 2], [0, 1, 1, 3, 2, 2]])
    assert split_half(values) == pytest.approx(spearmanr(*values)[0])


def test_exactly_enough_needs_no_more():
    """Two probes that correlate by 0.9: one of them is enough, whatever the last bit says."""
    first = np.arange(5.0)
    swapped = first[[0, 2, 1, 4, 3]]  # Σd² = 4: ρ = 1 − 6 · 4 / (5 · 24) = 0.8
    assert reliability(np.stack([first, swapped]))["seeds_for_0.9"] == 3
    once = first[[0, 2, 1, 3, 4]]  # Σd² = 2: ρ = 0.9
    assert reliability(np.stack([first, once]))["split_half"] == pytest.approx(0.9)
    assert reliability(np.stack([first, once]))["seeds_for_0.9"] == 1


@pytest.mark.parametrize("probes", [2, 3, 4, 7])
def test_identical_probes_agree(probes):
    values = np.tile(np.random.default_rng(0).normal(size=50).astype("float32"), (probes, 1))
    found = reliability(values)
    assert found["seeds"] == probes
    assert found["split_half"] == pytest.approx(1)
    assert found["spearman_brown"] == pytest.approx(1)
    assert found["seeds_for_0.9"] == 1


@pytest.mark.parametrize("probes", [2, 5, 10])
def test_independent_probes_do_not_agree(probes):
    found = reliability(mixture(probes, 0, 1))
    assert abs(found["split_half"]) < 0.02
    if found["split_half"] <= 0:
        assert found == {**NOTHING, "seeds": probes, "split_half": found["split_half"]}
    else:
        assert found["spearman_brown"] < 0.05
        assert found["seeds_for_0.9"] > 100


def test_probes_that_contradict_each_other_have_no_reliability():
    first = np.arange(9.0)
    found = reliability(np.stack([first, -first]))
    assert found == {**NOTHING, "seeds": 2, "split_half": pytest.approx(-1)}


def test_one_probe_and_scores_that_do_not_vary_say_nothing():
    assert reliability(np.arange(9.0)[np.newaxis]) == {**NOTHING, "seeds": 1}
    assert reliability(np.ones((4, 9), "float32")) == {**NOTHING, "seeds": 4}
    constant_in_one = np.stack([np.arange(9.0), np.ones(9)])
    assert reliability(constant_in_one) == {**NOTHING, "seeds": 2}


@pytest.mark.parametrize("probes", [2, 5, 10])
@pytest.mark.parametrize(("signal", "noise"), [(1, 1), (1, 4), (3, 1)])
def test_a_known_mixture_of_signal_and_noise(probes, signal, noise):
    """Compares split half with theory, and Spearman–Brown with other probes of that number."""
    found = reliability(mixture(probes, signal, noise))
    half = probes // 2
    expected = rank_correlation(signal / (signal + noise / half))
    assert found["split_half"] == pytest.approx(expected, abs=0.02)
    both = mixture(2 * probes, signal, noise, seed=1)
    simulated = spearmanr(both[:probes].mean(axis=0), both[probes:].mean(axis=0))[0]
    assert found["spearman_brown"] == pytest.approx(simulated, abs=0.02)


@pytest.mark.parametrize(("signal", "noise"), [(1, 1), (1, 2), (3, 1)])
def test_the_predicted_number_of_probes_reaches_nine_tenths(signal, noise):
    needed = reliability(mixture(10, signal, noise))["seeds_for_0.9"]
    both = mixture(2 * (needed + 2), signal, noise, seed=1)

    def simulated(probes):
        return spearmanr(both[:probes].mean(axis=0), both[-probes:].mean(axis=0))[0]

    enough = [probes for probes in range(1, needed + 3) if simulated(probes) >= 0.9]
    assert abs(min(enough) - needed) <= 1


def test_probes_needed_do_not_depend_on_the_probes_there_are():
    needed = [reliability(mixture(probes, 1, 1))["seeds_for_0.9"] for probes in (2, 5, 10, 16)]
    assert max(needed) - min(needed) <= 1


@pytest.mark.parametrize("probes", range(2, 13))
def test_halves_are_disjoint_and_of_the_same_size(probes):
    splits = list(_splits(probes, seed=0))
    assert 1 <= len(splits) <= 20
    for first, second in splits:
        assert len(first) == len(second) == probes // 2
        assert len({*first, *second}) == 2 * (probes // 2)
        assert {*first, *second} <= set(range(probes))
    if probes <= 6:
        every = {
            frozenset([frozenset(first), frozenset(second)])
            for first, second in itertools.product(
                itertools.combinations(range(probes), probes // 2), repeat=2
            )
            if not set(first) & set(second)
        }
        unordered = {frozenset(map(frozenset, split)) for split in splits}
        assert unordered == every
        assert len(splits) == len(every)
    else:
        assert {position for split in splits for half in split for position in half} == set(
            range(probes)
        )


def test_drawn_splits_hang_on_their_seed_alone():
    assert list(_splits(12, seed=3)) == list(_splits(12, seed=3)) != list(_splits(12, seed=4))
    values = mixture(12, 1, 1)[:, :50]
    assert split_half(values) == split_half(values)


def test_the_lines_on_the_terminal():
    found = {
        "el2n": {"seeds": 5, "split_half": 0.7, "spearman_brown": 0.854, "seeds_for_0.9": 8},
        "vog": {**NOTHING, "seeds": 1},
        "aum": {**NOTHING, "seeds": 4, "split_half": -0.1},
    }
    assert [line.split(maxsplit=1) for line in reliability_lines(found)] == [
        ["el2n", "0.85 with 5 probes; 8 probes are enough for 0.9"],
        ["vog", "unknown with 1 probe; use 2 or more (probe.seeds)"],
        ["aum", "none: the 4 probes do not agree"],
    ]


def probe_table(**scores):
    """The table of one probe, of four examples."""
    recorded = {
        name: {
            "higher_is_harder": True,
            "mode": "eval" if name == "el2n" else "train",
            "over_seeds": "sum" if name == "forgetting" else "mean",
        }
        for name in scores
    }
    return kp.ScoreTable(list("abcd"), [0, 1, 0, 1], scores, metadata={"scores": recorded})


def test_a_sum_over_probes_with_its_standard_error_by_hand():
    """1, 2, 6: sum 9, sample variance 7, standard error √(3 · 7); of el2n the mean, 3 ± √(7/3)."""
    columns = ([1, 0, 0, 4], [2, 0, 0, 4], [6, 0, 3, 4])
    table = kp.ScoreTable.over_seeds(
        [probe_table(el2n=column, forgetting=column) for column in columns]
    )
    np.testing.assert_allclose(table["forgetting"], [9, 0, 3, 12])
    np.testing.assert_allclose(table.standard_errors["forgetting"], [21**0.5, 0, 3, 0], 1e-6)
    np.testing.assert_allclose(table["el2n"], [3, 0, 1, 4])
    np.testing.assert_allclose(table.standard_errors["el2n"], [(7 / 3) ** 0.5, 0, 1, 0], 1e-6)


def test_standard_errors_are_the_spread_of_such_means_and_sums():
    rng = np.random.default_rng(0)
    ids, labels = np.arange(4000), np.zeros(4000, int)
    metadata = {"scores": {"forgetting": {"over_seeds": "sum"}}}
    tables = [
        kp.ScoreTable(ids, labels, {"el2n": draw, "forgetting": draw}, metadata=metadata)
        for draw in rng.normal(0, 2, (5, 4000))
    ]
    table = kp.ScoreTable.over_seeds(tables)
    for name in table.names:
        found = np.sqrt(np.mean(table.standard_errors[name].astype(float) ** 2))
        assert found == pytest.approx(table[name].std(), rel=0.05)


def test_scores_that_only_some_probes_have(tmp_path):
    tables = [
        probe_table(el2n=[1, 2, 3, 4], vog=[4, 3, 2, 1]),
        probe_table(el2n=[1, 2, 4, 3], vog=[4, 3, 1, 2], aum=[1, 2, 3, 4]),
        probe_table(el2n=[1, 2, 3, 4]),
    ]
    table = kp.ScoreTable.over_seeds(tables)
    assert table.names == ["el2n", "vog", "aum"]
    np.testing.assert_allclose(table["vog"], [4, 3, 1.5, 1.5])
    np.testing.assert_allclose(table["aum"], [1, 2, 3, 4])
    assert list(table.standard_errors) == ["el2n", "vog"]
    found = table.metadata["reliability"]
    assert {name: found[name]["seeds"] for name in found} == {"el2n": 3, "vog": 2, "aum": 1}
    assert found["el2n"]["split_half"] == pytest.approx((0.8 + 0.8 + 1) / 3)
    assert found["aum"] == {**NOTHING, "seeds": 1}
    assert table.metadata["scores"]["aum"]["mode"] == "train"

    table.save(tmp_path / "scores.parquet")
    loaded = kp.ScoreTable.load(tmp_path / "scores.parquet")
    assert loaded.metadata["reliability"] == found
    assert loaded.metadata == table.metadata
    assert loaded.names == table.names
    for name in ("el2n", "vog"):
        np.testing.assert_array_equal(loaded.standard_errors[name], table.standard_errors[name])


def test_one_probe_has_no_standard_error():
    table = kp.ScoreTable.over_seeds([probe_table(forgetting=[1, 0, 2, 3])])
    np.testing.assert_array_equal(table["forgetting"], [1, 0, 2, 3])
    assert table.standard_errors == {}
    assert table.metadata["reliability"] == {"forgetting": {**NOTHING, "seeds": 1}}
