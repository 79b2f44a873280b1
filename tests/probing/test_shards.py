"""Scoring with saved models in shards, put together again."""

import json

import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning.config import Config, DatasetConfig, ProbeConfig
from keras_pruning.errors import InputError
from keras_pruning.jobs import claims
from keras_pruning.probing import shards, work
from keras_pruning.probing.part_files import PartFiles
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.storage.processes import HOST
from keras_pruning.training import checkpoint as checkpoint_module
from keras_pruning.training.checkpoint import RunCheckpoint


def plan_of(folder, scores, models=11, fraction=0.1, probe_fraction=1.0, **probe):
    """A plan of saved models of a run, by default on 144 digits."""
    dataset = DatasetConfig("digits", fraction=fraction)
    probe["fraction"] = probe_fraction
    config = Config(
        dataset=dataset, probe=ProbeConfig(scoring_batch_size=16, **probe), scores=scores
    )
    plan = ScoringPlan.from_config(config)
    paths = []
    for number in range(models):
        paths.append(folder / f"epoch-{number}.keras")
        small.network(plan.data.trained_on, number).save(paths[-1])
    return ScoringPlan.from_config(config, paths)


def in_shards(plan, folder, number):
    files = PartFiles(folder, plan.recipe)
    names = shards.part_names(plan, number)
    for name in reversed(names):
        shards.score_part(plan, files, name)
    return files, names, shards.merged(plan, files, names)


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "test"])
def test_all_scores_in_shards_have_the_bits_of_one_process(tmp_path, split):
    plan = plan_of(tmp_path, "all", split=split)
    whole, cost = work.score_with_checkpoints(plan)
    _, names, (table, costs) = in_shards(plan, tmp_path / "parts", 4)
    assert names == [*(f"shard-{number}-of-4" for number in range(4)), "together"]
    for name in whole.names:
        np.testing.assert_array_equal(table[name], whole[name], err_msg=name)
    assert (table.digest, table.metadata) == (whole.digest, whole.metadata)
    # Each example passes as often, and those of embeddings do once more
    again = len(plan.data.scored) + (len(plan.data.trained_on) if split == "test" else 0)
    assert sum(part["examples_with_gradients"] for part in costs) == cost["examples_with_gradients"]
    assert sum(part["examples_forward"] for part in costs) == cost["examples_forward"]
    assert costs[-1]["examples_forward"] == again


@pytest.mark.slow
def test_a_class_is_normalized_over_all_shards(tmp_path):
    plan = plan_of(tmp_path, ["vog"], models=3)
    _, _, (table, _) = in_shards(plan, tmp_path / "parts", 5)
    for label in np.unique(table.labels):
        values = table["vog"][table.labels == label]
        np.testing.assert_allclose([values.mean(), values.std()], [0, 1], atol=1e-5)


@pytest.mark.parametrize(
    "count, number, sizes",
    [(100, 3, [32, 32, 36]), (100, 1, [100]), (33, 9, [16, 16, 1]), (7, 4, [7])],
)
def test_shards_are_whole_batches_and_all_rows(count, number, sizes):
    rows = shards.shard_rows(count, 16, number)
    assert [part.stop - part.start for part in rows] == sizes
    assert np.concatenate([np.arange(count)[part] for part in rows]).tolist() == list(range(count))


def test_a_finished_part_is_not_scored_again(tmp_path, monkeypatch):
    plan = plan_of(tmp_path, ["el2n"], models=2)
    files, names, _ = in_shards(plan, tmp_path / "parts", 2)
    monkeypatch.setattr(shards, "record_checkpoints", None)
    shards.score_part(plan, files, names[0])
    with pytest.raises(TypeError):
        shards.score_part(plan, files, "shard-0-of-3")


def test_parts_that_are_missing_or_of_other_examples(tmp_path):
    plan = plan_of(tmp_path, ["el2n"], models=2)
    files, names, _ = in_shards(plan, tmp_path / "parts", 2)
    with pytest.raises(InputError, match="each of 144 ids once. Received: 80 ids, 64"):
        shards.merged(plan, files, names[1:])
    with pytest.raises(InputError, match="Missing file.*part-shard-2-of-3"):
        shards.merged(plan, files, [*names, "shard-2-of-3"])
    other = PartFiles(files.folder, {**plan.recipe, "batch_size": 1})
    with pytest.raises(InputError, match="batch_size"):
        shards.score_part(plan, other, names[0])
    files.clear()
    assert list(files.folder.iterdir()) == []


def test_parts_of_another_number_of_tasks_are_removed(tmp_path):
    plan = plan_of(tmp_path, ["el2n"], models=2)
    files, _, _ = in_shards(plan, tmp_path / "parts", 2)
    shards.score_part(plan, files, "shard-1-of-3")
    for name, recipe in (("shard-2-of-3", plan.recipe), ("shard-0-of-9", {"scores": []})):
        path = files.checkpoint_path(name)
        RunCheckpoint(path, {"recipe": recipe, "part": name}).save({})
    dead = {"host": HOST, "machine": "here", "process": 2**22 + 1, "token": "a"}
    claims.claim_path(files.path("shard-1-of-8")).write_text(json.dumps(dead))
    with pytest.raises(InputError, match="shard-0-of-9.unfinished.npz holds .* another recipe"):
        files.require_same_recipe()
    files.clear()
    assert [path.name for path in files.folder.iterdir()] == ["part-shard-0-of-9.unfinished.npz"]


def test_seconds_count_the_processes_that_were_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "EVERY", 0.0)
    plan = plan_of(tmp_path, ["el2n", "aum"], models=3)
    files, name = PartFiles(tmp_path / "parts", plan.recipe), "shard-0-of-1"
    whole, path = tmp_path / "whole.npz", files.checkpoint_path(name)
    remove = RunCheckpoint.remove
    monkeypatch.setattr(RunCheckpoint, "remove", lambda self: self._path.rename(whole))
    shards.score_part(plan, files, name)
    # As if the process had been killed after its last model, an hour later
    files.path(name).unlink()
    earlier = RunCheckpoint(whole, {"recipe": plan.recipe, "part": name})
    state = earlier.load()
    late = RunCheckpoint(path, {"recipe": plan.recipe, "part": name})
    late._begun -= 3600
    late.save(state)
    monkeypatch.setattr(RunCheckpoint, "remove", remove)
    shards.score_part(plan, files, name)
    _, _, details = files.read(name)
    assert 3600 < details["cost"]["seconds"] < 3700


def test_the_other_examples_are_estimated_once(tmp_path):
    plan = plan_of(tmp_path, ["el2n"], models=2, fraction=0.3, probe_fraction=0.5)
    whole, _ = work.score_with_checkpoints(plan)
    _, _, (scored, costs) = in_shards(plan, tmp_path / "parts", 3)
    for ours, theirs in ((scored.table, whole.table), (scored.held_out, whole.held_out)):
        np.testing.assert_array_equal(ours["el2n"], theirs["el2n"])
    assert len(costs) == 4
    assert costs[-1]["examples_forward"] == len(plan.data.all)


class Centered(kp.scores.EL2N):
    """A score of one's own that compares all examples."""

    name = "centered"

    def result(self):
        values = super().result()
        return values - values.mean()


def test_an_own_score_that_compares_examples_is_not_divided(tmp_path, monkeypatch):
    monkeypatch.setitem(kp.scores.SCORES, "centered", Centered)
    plan = plan_of(tmp_path, ["centered", "el2n"], models=2)
    _, names, (table, _) = in_shards(plan, tmp_path / "parts", 2)
    assert names == ["shard-0-of-2", "shard-1-of-2", "together"]
    np.testing.assert_array_equal(table["centered"], table["el2n"] - table["el2n"].mean())
