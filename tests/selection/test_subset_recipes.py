"""A result of other scores is never reused.

`tests/commands/test_outputs.py` has the same for the command `prune`, and
`tests/tables/test_tables.py` the digest that a subset names.
"""

from types import SimpleNamespace

import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.config import TrainingConfig
from keras_pruning.selection import Policy
from keras_pruning.storage import write_json
from keras_pruning.training.run import METRICS, RECIPE, TrainingRun

PLAN = SimpleNamespace(recipe={}, training=TrainingConfig())
SCORES = np.arange(20, dtype=np.float32)


class Near(Policy):
    name = "near"
    needs = ("embedding",)

    def choose(self, candidates, count, rng):
        return np.argsort(candidates.embedding[:, 0])[:count]


def table(values=SCORES, is_harder=True, ids=None, **others):
    ids = [f"id-{row}" for row in range(20)] if ids is None else ids
    directions = {"s": is_harder, **dict.fromkeys(others, True)}
    return kp.ScoreTable.from_scores(ids, np.arange(20) % 2, {"s": values, **others}, directions)


def half(scores, policy="hardest", **options):
    return kp.select(scores, "s", 0.5, policy, "balanced", **options)


OTHERS = {
    "other scores that keep others": lambda: table(SCORES[::-1]),
    "other scores that keep the same": lambda: table(SCORES + 1),
    "one more score": lambda: table(more=SCORES),
    "other ids": lambda: table(ids=[f"other-{row}" for row in range(20)]),
    "other scores of the other direction": lambda: table(-SCORES, is_harder=False),
}


@pytest.mark.parametrize("policy", ["hardest", "random"])
@pytest.mark.parametrize("other", OTHERS)
def test_a_subset_of_another_table_is_not_the_same(other, policy, tmp_path):
    path = tmp_path / "subset.parquet"
    subset = half(table(), policy)
    subset.save(path)
    subset.require_same(path)
    half(table(), policy).require_same(path)
    with pytest.raises(InputError, match="Nothing was overwritten"):
        half(OTHERS[other](), policy).require_same(path)


def test_a_subset_of_another_embedding_is_not_the_same(tmp_path):
    path = tmp_path / "subset.parquet"
    vectors = SCORES[:, np.newaxis]
    half(table(), Near(), embedding=vectors).save(path)
    half(table(), Near(), embedding=vectors.copy()).require_same(path)
    with pytest.raises(InputError, match="selection.embedding: recorded"):
        half(table(), Near(), embedding=vectors + 1).require_same(path)


def finished(subset, folder):
    """Returns whether a run on the subset is there, which must not be one of other examples."""
    return TrainingRun(PLAN, subset, 0, folder).is_finished()


def test_a_run_on_a_subset_of_other_scores_is_not_reused(tmp_path):
    """`train` and each run of `sweep` ask so, with the same selection in both recipes."""
    subset, other = half(table()), half(table(SCORES[::-1]))
    assert subset.selection == other.selection
    run = TrainingRun(PLAN, subset, 0, tmp_path)
    write_json(tmp_path / RECIPE, run.recipe)
    write_json(tmp_path / METRICS, {})
    assert finished(subset, tmp_path)
    with pytest.raises(InputError, match="another recipe.*\n  kept: recorded"):
        finished(other, tmp_path)
    # A run depends on the kept examples only, whichever scores chose them
    assert finished(half(table(SCORES + 1)), tmp_path)
