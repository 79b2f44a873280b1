"""A score or an embedding that the policy does not read is a mistake of the command or config."""

import numpy as np
import pytest
from support.mistakes import fails

import keras_pruning as kp
from keras_pruning.config import SweepConfig
from keras_pruning.errors import InputError
from keras_pruning.selection import get
from keras_pruning.selection.select import require_no_more

BY = "The policy 'random' does not read `by`. Expected none, or another policy. Received: by='el2n'"
EMBEDDING = "The policy 'hardest' does not read `embedding`. Expected none.*embedding='a.npy'"


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ({"by": "el2n", "policy": "random"}, BY),
        ({"by": "el2n", "embedding": "a.npy"}, EMBEDDING),
        (
            {"by": "el2n", "policy": "random", "embedding": "a.npy"},
            "does not read `by` or `embedding`.*Received: by='el2n', embedding='a.npy'",
        ),
    ],
)
def test_methods_of_a_sweep(method, message):
    with pytest.raises(InputError, match=message):
        SweepConfig(methods=["el2n", method])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "el2n", "--policy", "random"], BY),
        (["--by", "el2n", "--embedding", "a.npy"], EMBEDDING.partition(".*")[0]),
    ],
)
def test_options_of_prune(arguments, message, capsys, tmp_path):
    # The options are checked before the scores are read.
    shared = ["--scores", "nowhere.parquet", "--keep-fraction", 0.5, "--output", tmp_path / "s"]
    assert message in fails(capsys, tmp_path, "prune", *shared, *arguments)


def test_arguments_that_are_read():
    require_no_more(get("random"), None, None)
    require_no_more(get("hardest"), "el2n", None)
    SweepConfig(methods=["el2n", {"policy": "random", "quota": "balanced"}])


def test_select_takes_the_same_arguments_for_every_policy():
    metadata = {"scores": {"el2n": {"higher_is_harder": True}}}
    ids, labels = np.arange(8).astype(str), np.arange(8) % 2
    table = kp.ScoreTable(ids, labels, {"el2n": np.arange(8)}, metadata=metadata)
    subset = kp.select(table, "el2n", 0.5, "random", quota="balanced")
    assert subset.selection["by"] is None
