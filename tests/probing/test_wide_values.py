"""Scores of several numbers for each example, which are read in blocks of rows."""

import numpy as np
import pytest
from support import small
from support.small import compiled, plain_network

import keras_pruning as kp
from keras_pruning.scores import TDDS

NAMES = ["aum", "el2n"]


@pytest.fixture(scope="module")
def examples():
    return small.digits(130)


class WatchedTDDS(TDDS):
    """Notes the numbers of rows that it takes at a time."""

    def __init__(self, window=3):
        super().__init__(window)
        self.taken = []

    def update(self, values, rows=slice(None)):
        self.taken.append(len(values))
        super().update(values, rows)


def fitted(examples, records, passes=1):
    """The table and the watched score of a fit of three epochs."""
    model, watched = plain_network(examples), WatchedTDDS()
    callback = kp.ScoreCallback(examples, [*NAMES, watched], verify=False)
    model = compiled(callback.recording(model, passes=passes) if records else model)
    batches = examples.batches(32, shuffle=True, seed=3, rows=records)
    batches = batches.repeat(passes)
    model.fit(batches, epochs=3, callbacks=[callback], verbose=0, shuffle=False)
    return callback.table(), watched


@pytest.mark.parametrize(("records", "passes"), [(True, 1), (True, 2), (False, 1)])
def test_blocks_of_rows_have_the_same_bits(records, passes, examples, monkeypatch):
    expected, watched = fitted(examples, records, passes)
    assert set(watched.taken) == {130}
    # 50 rows of 10 float32
    monkeypatch.setattr("keras_pruning.backend.tensorflow.row_store._BLOCK_BYTES", 50 * 10 * 4)
    table, watched = fitted(examples, records, passes)
    assert watched.taken == [50, 50, 30] * (3 * passes)
    for name in expected.names:
        np.testing.assert_array_equal(table[name], expected[name])
    assert len(np.unique(table["tdds"])) > 100


@pytest.mark.parametrize("records", [True, False])
def test_wide_values_are_never_read_as_a_whole(records, examples, monkeypatch):
    whole = []
    monkeypatch.setattr(
        "keras_pruning.backend.tensorflow.row_store._read", reading_that_notes(whole)
    )
    fitted(examples, records)
    assert whole
    assert {len(shape) for shape in whole} == {2}
    assert max(columns for _, columns in whole) <= len(NAMES)


def reading_that_notes(whole):
    """The function that reads variables, which notes the shapes of those read as a whole."""
    from keras_pruning.backend.tensorflow.row_store import _read

    def read(variable, rows):
        if rows is None:
            whole.append(tuple(variable.shape))
        return _read(variable, rows)

    return read
