"""`prune --policy auto`: the pilot of a config, its record and its mistakes."""

import pytest
from support.in_process import run_each
from support.mistakes import fails
from support.small import run

import keras_pruning as kp
from keras_pruning.examples.splits import Splits
from keras_pruning.pilot import plan

CONFIG = """
model: {name: mlp, width: 8}
training: {epochs: 4, batch_size: 32}
dataset: {name: digits, fraction: 0.2}
"""
AUTO = "{name: auto, seeds: 2, length: 0.25}"
pytestmark = pytest.mark.filterwarnings("ignore:The policy .* keeps no example")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a config and scores. Pilots run in this process, without a test set."""
    (tmp_path / "c.yaml").write_text(CONFIG)
    examples = kp.load_examples("digits", fraction=0.2)
    ink = examples.stored_inputs(range(len(examples))).sum(axis=(1, 2, 3))
    metadata = {
        "examples": examples.provenance,
        "scores": {name: {"higher_is_harder": True} for name in ("el2n", "vog")},
    }
    table = kp.ScoreTable(
        examples.ids, examples.labels, {"el2n": ink, "vog": -ink}, metadata=metadata
    )
    table.save(tmp_path / "s.parquet")
    monkeypatch.setattr(plan, "run_each", run_each)
    monkeypatch.setattr(Splits, "test", property(lambda self: pytest.fail("the test set was read")))
    return tmp_path


def arguments(place, *more, output="kept.parquet"):
    shared = ["--scores", place / "s.parquet", "--by", "el2n", "--keep-fraction", 0.2]
    shared += ["--policy", AUTO, "--config", place / "c.yaml", "--output", place / output]
    return ["prune", *shared, *more]


@pytest.mark.slow
def test_a_pilot_chooses_and_its_result_is_reused(place, capsys, caplog, monkeypatch):
    with caplog.at_level("INFO", "keras_pruning"):
        assert run(*arguments(place)) == 0
    # 1 of 4 epochs of 8 batches for ten models, and 4 epochs of 9 batches for a full run
    assert "training 10 models on 46 examples for 8 steps, as many steps as 2.2 " in caplog.text
    shown = capsys.readouterr().out
    assert "The pilot trained 10 models in" in shown
    loaded = kp.Subset.load(place / "kept.parquet")
    record = loaded.selection["auto"]
    assert len(loaded) == 57
    assert loaded.selection["policy"] == record["policy"]
    assert {len(values) for values in record["accuracies"].values()} == {2}
    assert record["cost"]["examples_seen"] > 10 * 8 * 30 * 0.5
    assert record["recipe"]["training"]["epochs"] == 1
    # The second call trains nothing and shows the same.
    monkeypatch.setattr(plan, "run_each", lambda *_: pytest.fail("the pilot ran again"))
    assert run(*arguments(place, "--explain")) == 0
    again = capsys.readouterr().out
    assert again.startswith(shown.partition("Kept")[0])
    assert "Reused" in again
    for change in (["--seed", 5], ["--by", "vog"], ["--quota", "balanced"]):
        assert run(*arguments(place, *change)) == 2
        assert "holds the result of another recipe" in capsys.readouterr().err


@pytest.mark.slow
def test_a_pilot_beside_other_policies(place):
    assert run(*arguments(place, "--policy", AUTO, "random", output="kept")) == 0
    names = sorted(path.name for path in (place / "kept").iterdir())
    auto = "el2n-auto-seeds=2-length=0.25-keep-0.20.parquet"
    assert names == [auto, "random-keep-0.20.parquet"]


@pytest.mark.slow
def test_a_pilot_in_child_processes_gives_the_same(place, monkeypatch):
    assert run(*arguments(place)) == 0
    monkeypatch.undo()
    assert run(*arguments(place, "--output", place / "again.parquet")) == 0
    records = [
        kp.Subset.load(place / f"{name}.parquet").selection["auto"]["accuracies"]
        for name in ("kept", "again")
    ]
    for name, values in records[0].items():
        # Another number of threads has other last bits.
        assert records[1][name] == pytest.approx(values, abs=0.06)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--keep-fraction", 1], "nothing to choose if all examples are kept"),
        (["--policy", "{name: auto, seeds: 1}"], "Invalid `seeds`. Expected at least 2"),
        (["--policy", "{name: auto, length: 2}"], "Invalid `length`"),
        (["--policy", "{name: auto, steps: 2}"], "Invalid options of the policy 'auto'"),
        (["--policy", "hardest"], "Only the policy 'auto' reads --config"),
        (["--config", "none.yaml"], "Missing config file"),
    ],
)
def test_mistakes_are_found_before_anything_is_trained(more, message, place, capsys):
    assert message in fails(capsys, place, *arguments(place, *more))


def test_a_pilot_needs_a_config_of_the_same_examples(place, capsys):
    without = [part for part in arguments(place) if part not in ("--config", place / "c.yaml")]
    assert "Expected --config, the config that" in fails(capsys, place, *without)
    (place / "c.yaml").write_text(CONFIG.replace("0.2", "0.3"))
    message = fails(capsys, place, *arguments(place))
    assert "This score table was made from other examples" in message


def test_a_subset_without_a_pilot_is_not_replaced(place, capsys):
    table = kp.ScoreTable.load(place / "s.parquet")
    kp.select(table, "el2n", 0.2, "easiest").save(place / "kept.parquet")
    assert run(*arguments(place)) == 2
    assert 'policy: recorded "easiest", requested "auto"' in capsys.readouterr().err
