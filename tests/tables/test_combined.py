"""Scores of several probes in one table: in blocks, to the last bit."""

import warnings

import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.examples import ids
from keras_pruning.statistics.reliability import reliability
from keras_pruning.tables import combined as module
from keras_pruning.tables import score_table


def tables(probes, examples=50, over_seeds="mean", extrapolated=None):
    rng = np.random.default_rng(0)
    recorded = {"scores": {"el2n": {"higher_is_harder": True, "over_seeds": over_seeds}}}
    names = [f"{row}" for row in range(examples)]
    return [
        kp.ScoreTable(
            names,
            np.zeros(examples, int),
            {"el2n": rng.random(examples, np.float32)},
            metadata=recorded,
            extrapolated=extrapolated,
        )
        for _ in range(probes)
    ]


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize("probes", [1, 2, 20])
@pytest.mark.parametrize("block", [1, 7, 2**20])
def test_blocks_change_no_bit(summed, probes, block, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", max(block, 2 * probes))
    given = tables(probes, 51, "sum" if summed else "mean")
    values = np.stack([table["el2n"] for table in given])
    table = kp.ScoreTable.over_seeds(given)
    count = probes if summed else 1
    mean = values.mean(axis=0, dtype=np.float64) * count
    np.testing.assert_array_equal(table["el2n"], mean.astype(np.float32))
    if probes > 1:
        error = values.std(axis=0, ddof=1, dtype=np.float64) / probes**0.5 * count
        np.testing.assert_array_equal(table.standard_errors["el2n"], error.astype(np.float32))
    assert bool(table.standard_errors) is (probes > 1)
    # As of a copy of the columns that are not extrapolated
    whole = np.ones(51, bool)
    assert table.metadata["reliability"]["el2n"] == reliability(values[:, whole])


def test_a_table_takes_the_ids_of_the_first_as_they_are(monkeypatch):
    given = tables(3, extrapolated=np.arange(50) < 5)
    digest = given[0].digest
    monkeypatch.setattr(score_table, "checked_ids", None)
    monkeypatch.setattr(ids, "checked_ids", None)
    table = kp.ScoreTable.over_seeds(given)
    assert table.ids is given[0].ids
    np.testing.assert_array_equal(table.extrapolated, np.arange(50) < 5)
    # The first stays as it was
    assert given[0].digest == digest != table.digest
    assert given[0].standard_errors == {}
    assert not table["el2n"].flags.writeable


def test_a_sum_beyond_float32_is_refused():
    given = tables(2, over_seeds="sum")
    large = [
        kp.ScoreTable(table.ids, table.labels, {"el2n": np.full(50, 3e38)}, metadata=table.metadata)
        for table in given
    ]
    with warnings.catch_warnings(), pytest.raises(InputError, match="`el2n`.*NaN or infinity"):
        warnings.simplefilter("error")
        kp.ScoreTable.over_seeds(large)
