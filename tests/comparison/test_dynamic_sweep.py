"""A sweep of methods that prune while training: two phases, and nothing trained in vain."""

import csv

import pytest
from support.fake_runs import pretend_to_train, write_dynamic_run
from support.new_policies import table
from support.small import random_images, run

from keras_pruning.comparison import dynamic_runs, sweep
from keras_pruning.comparison.grid import missing_runs
from keras_pruning.comparison.runs import find_runs
from keras_pruning.comparison.shares import missing_baselines, seen_share, trained_share
from keras_pruning.selection.dynamic_methods import COMMON, DEFAULTS, DYNAMIC_BASELINES
from keras_pruning.selection.methods import dynamic_entry, dynamic_name
from keras_pruning.storage import read_json
from keras_pruning.training import dynamic
from keras_pruning.training import run as training_run

CONFIG = """
dataset: {{name: digits, fraction: 0.1}}
model: {{name: mlp, width: 8}}
scores: [el2n]
probe: {{epochs: 2}}
training: {{epochs: 4, batch_size: 16, learning_rate: 0.02}}
sweep: {{methods: [{methods}], keep_fractions: [0.5], seeds: 2, baseline_seeds: 3}}
"""
INFOBATCH, ORDERDP = "{dynamic: infobatch}", "{dynamic: {name: orderdp, f: 0.4}}"


@pytest.fixture
def swept(tmp_path, monkeypatch, caplog):
    """Returns the exit code and the log of a sweep of some methods, whose runs are made up."""
    monkeypatch.setattr(sweep, "score", lambda plan, folder: table(plan.data.all))
    monkeypatch.setattr(sweep, "run_all", pretend_to_train)
    monkeypatch.setattr(dynamic_runs, "require_dynamic", lambda *_: None)

    def sweep_of(*methods, options=()):
        (tmp_path / "c.yaml").write_text(CONFIG.format(methods=", ".join(methods)))
        caplog.clear()
        arguments = ["--config", tmp_path / "c.yaml", "--output", tmp_path / "out", *options]
        with caplog.at_level("INFO", "keras_pruning"):
            return run("sweep", *arguments), caplog.text

    return sweep_of


def folders(tmp_path):
    """Returns the number of seeds of each method below the folder of a sweep."""
    paths = [path.parent.parent for path in (tmp_path / "out").rglob("metrics.json")]
    return {f"{path.parent.name}/{path.name}": paths.count(path) for path in paths}


def test_defaults_and_baselines_are_those_of_the_classes():
    kinds = {name: dynamic.get(name, random_images(10), 2) for name in dynamic.METHODS}
    assert {name: kind.get_config() for name, kind in kinds.items()} == DEFAULTS
    assert {name for name, kind in kinds.items() if kind.is_baseline} == set(DYNAMIC_BASELINES)
    assert {getattr(kind, name) for kind in kinds.values() for name in COMMON} == {"example"}


def test_options_at_their_defaults_are_no_part_of_the_name():
    entry = {"name": "seta", "r": 0.1, "groups": 4, "window": 0.9, "loss": "example"}
    assert dynamic_name(entry) == "seta-groups=4"
    assert dynamic_entry(entry) == {"name": "seta", "groups": 4}
    # A method of one's own has no defaults in the table
    assert dynamic_name({"name": "new", "r": 0.1, "loss": "example"}) == "new-r=0.1"


def test_baselines_train_at_the_share_that_the_method_saw(swept, tmp_path):
    code, log = swept("el2n", INFOBATCH, ORDERDP)
    assert code == 0
    # Infobatch pretends to see 0.6 and 0.61 of the examples
    assert folders(tmp_path) == {
        "full/keep-1.00": 2,
        "random/keep-0.50": 3,
        "el2n-hardest/keep-0.50": 2,
        "infobatch/keep-1.00": 2,
        "orderdp-f=0.4/keep-1.00": 2,
        "rs2-f=0.605/keep-1.00": 3,
        "shortened-f=0.605/keep-1.00": 3,
        "rs2-f=0.4/keep-1.00": 3,
        "shortened-f=0.4/keep-1.00": 3,
    }
    assert "incomplete" not in log
    with open(tmp_path / "out" / "comparison" / "comparison.csv") as file:
        against = {row["method"]: row["against"] for row in csv.DictReader(file)}
    assert against["infobatch"] in ("rs2-f=0.605", "shortened-f=0.605")
    # Nothing is trained again, and an added method trains its own runs only.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("metrics.json")}
    code, log = swept("el2n", INFOBATCH, ORDERDP, "{dynamic: seta}")
    assert code == 0 and log.count("Training 2 models") == 1
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_another_seed_keeps_the_trained_baselines(swept, tmp_path):
    assert swept(INFOBATCH)[0] == 0
    before = folders(tmp_path)
    # The third seed pretends to see 0.62, so that the mean is 0.61
    code, log = swept(INFOBATCH, options=["--sweep.seeds", 3])
    assert code == 0 and "incomplete" not in log
    assert folders(tmp_path) == {**before, "full/keep-1.00": 3, "infobatch/keep-1.00": 3}
    with open(tmp_path / "out" / "comparison" / "comparison.csv") as file:
        against = {row["method"]: row["against"] for row in csv.DictReader(file)}
    assert against["infobatch"].endswith("-f=0.605")


def test_dynamic_methods_alone_take_no_scores(swept, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "score", None)
    monkeypatch.setattr(sweep, "find_scores", None)
    code, log = swept(INFOBATCH, options=["--sweep.keep_fractions", "[0.0001]"])
    assert code == 0 and "incomplete" not in log
    methods = {name.partition("/")[0] for name in folders(tmp_path)}
    assert methods == {"full", "infobatch", "rs2-f=0.605", "shortened-f=0.605"}
    runs = find_runs(tmp_path / "out")
    gone = [single for single in runs if single.method not in ("full", "rs2-f=0.605")]
    assert missing_runs(gone) == [
        *[(0.1, 1.0, "full", seed) for seed in (0, 1)],
        *[(0.1, 1.0, "rs2-f=0.605", seed) for seed in (0, 1, 2)],
    ]
    # Without all runs of the method it is not known which baselines it has.
    begun = [single for single in runs if single.method == "full"]
    assert missing_runs(begun) == [(0.1, 1.0, "infobatch", seed) for seed in (0, 1)]


@pytest.mark.parametrize(
    ("entries", "shares", "expected"),
    [
        (["infobatch"], [0.6], [("rs2", 0.6), ("shortened", 0.6)]),
        (["rs2"], [0.5], [("shortened", 0.5)]),
        (["shortened"], [0.5], []),
        (["rs2", "seta"], [0.5, 0.5], [("shortened", 0.5)]),
        (["seta", "orderdp"], [0.5, 0.5], [("rs2", 0.5), ("shortened", 0.5)]),
        (["infobatch"], [None], []),
    ],
)
def test_baselines_that_methods_need(entries, shares, expected):
    needed = missing_baselines([{"name": name} for name in entries], shares)
    assert [(entry["name"], trained_share(entry)) for entry in needed] == expected
    assert all(entry.get("f") != 0.5 for entry in needed)


def test_the_share_of_a_method_is_the_mean_of_its_runs(tmp_path):
    shares = (0.601, 0.6024, 0.604)
    runs = [
        write_dynamic_run(tmp_path, 0.8, {"name": "seta"}, share, seed)
        for seed, share in enumerate(shares)
    ]
    assert seen_share({"name": "seta"}, runs) == 0.6
    assert seen_share({"name": "seta"}, runs[1:]) == 0.605
    assert seen_share({"name": "rs2", "f": 0.6024}, runs) == 0.6024
    assert seen_share({"name": "rs2"}, runs) == 0.5
    # The nearest baseline that is trained, if it is near
    assert seen_share({"name": "seta"}, runs, {0.598, 0.604, 0.607}) == 0.604
    assert seen_share({"name": "seta"}, runs, {0.597, 0.608}) == 0.6
    assert seen_share({"name": "seta"}, [{**runs[0], "examples_seen": 1}]) == 0.001


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ("{dynamic: infobatchs}", "Unknown dynamic method. Expected one of"),
        ("{dynamic: {name: infobatch, q: 1}}", "Invalid options of the dynamic method 'infobatch'"),
        ("{dynamic: {name: infobatch, r: 1.5}}", "Invalid `r`"),
        ("{dynamic: {r: 0.5}}", "Invalid dynamic method. Expected a name"),
        ("{dynamic: seta, by: el2n}", "or a dictionary of dynamic alone"),
        ("{dynamic: seta}, {dynamic: {name: seta}}", "Expected each once"),
        ("{dynamic: seta}, {dynamic: {name: seta, r: 0.1}}", "Expected each once"),
    ],
)
def test_invalid_methods_stop_a_sweep_before_training(
    methods, message, swept, capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr(dynamic_runs, "require_dynamic", training_run.require_dynamic)
    try:
        code, _ = swept(methods)
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_sweep_does_not_prune_all_of_its_runs(swept, capsys):
    code, _ = swept("el2n", options=["--training.dynamic", "{name: seta, r: 0.5}"])
    assert code == 2
    shown = capsys.readouterr().err
    assert "Received: seta-r=0.5. List it in sweep.methods: [{dynamic: seta}]" in shown


@pytest.mark.slow
def test_a_small_sweep_that_trains(tmp_path, capsys):
    (tmp_path / "c.yaml").write_text(CONFIG.format(methods=f"el2n, {INFOBATCH}"))
    shared = ["--config", tmp_path / "c.yaml", "--output", tmp_path / "out"]
    assert run("sweep", *shared, "--sweep.jobs", 2) == 0
    metrics = [read_json(path) for path in (tmp_path / "out").rglob("infobatch/*/*/metrics.json")]
    share = round(200 * sum(single["examples_seen"] for single in metrics) / 2 / (4 * 144)) / 200
    assert 0.5 < share < 1
    assert folders(tmp_path) == {
        "full/keep-1.00": 2,
        "random/keep-0.50": 3,
        "el2n-hardest/keep-0.50": 2,
        "infobatch/keep-1.00": 2,
        f"rs2-f={share:g}/keep-1.00": 3,
        f"shortened-f={share:g}/keep-1.00": 3,
    }
    for kind in DYNAMIC_BASELINES:
        (path, *_) = (tmp_path / "out").rglob(f"{kind}-*/*/seed-0/metrics.json")
        assert read_json(path)["examples_seen"] == pytest.approx(share * 4 * 144, abs=4)
    shown = capsys.readouterr().out
    assert "Pruning while training" in shown
    assert run("sweep", *shared, "--sweep.jobs", 2) == 0
    assert capsys.readouterr().out == shown
