import re
from pathlib import Path

import pytest
import yaml

from keras_pruning import InputError
from keras_pruning.cli import make_parser
from keras_pruning.config import (
    Config,
    DatasetConfig,
    ModelConfig,
    ProbeConfig,
    SweepConfig,
    TrainingConfig,
    seed_list,
)
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.scores import SCORES

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_is_read_and_has_a_header(path):
    parser = make_parser()
    values = parser.instantiate(parser.parse_args(["sweep", "--config", str(path)]))["sweep"]
    assert values.dataset.name == yaml.safe_load(path.read_text())["dataset"]["name"]
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    command = rf"python cli\.py (sweep|doctor) --config configs/{path.name}"
    for wanted in ("arXiv", command, "Time:"):
        assert any(re.search(wanted, line) for line in header), wanted


def test_keys_are_overridden_on_the_command_line():
    arguments = [
        "sweep",
        "--config",
        str(ROOT / "configs" / "digits.yaml"),
        "--dataset.name",
        "npz:x",
    ]
    arguments += ["--probe.epochs", "5", "--sweep.methods", "[vog, {by: el2n, policy: easiest}]"]
    parser = make_parser()
    values = parser.instantiate(parser.parse_args(arguments))["sweep"]
    assert (values.dataset.name, values.probe.epochs) == ("npz:x", 5)
    assert values.training.epochs == 20
    assert values.sweep.methods == [
        {"by": "vog", "policy": "hardest", "quota": None, "embedding": None},
        {"by": "el2n", "policy": "easiest", "quota": None, "embedding": None},
    ]


def test_scores_are_names_or_names_with_options():
    config = Config(scores=["el2n", {"name": "vog", "every": 2, "seeds": 3}])
    assert config.scores == [{"name": "el2n"}, {"name": "vog", "every": 2, "seeds": 3}]


def test_seeds_are_a_number_or_a_list():
    assert seed_list(3) == [0, 1, 2]
    assert seed_list(2, first=5) == [5, 6]
    assert seed_list([7, 3]) == [7, 3]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DatasetConfig(fraction=0), r"Invalid `dataset.fraction`. Expected.*\(0, 1\]"),
        (lambda: DatasetConfig(image_size=0), "Invalid `dataset.image_size`. Expected a positive"),
        (lambda: ProbeConfig(epochs=0), "Invalid `probe.epochs`. Expected.*Received: .*=0"),
        (lambda: ProbeConfig(seeds=0), "Invalid `probe.seeds`. Expected.*Received: .*=0"),
        (lambda: ProbeConfig(seeds=[1, 1]), "different seeds"),
        (lambda: ProbeConfig(seeds=[]), "Invalid `probe.seeds`"),
        (lambda: TrainingConfig(batch_size=-1), "Invalid `training.batch_size`"),
        (lambda: TrainingConfig(learning_rate=0.0), "Invalid `training.learning_rate`"),
        (lambda: TrainingConfig(weight_decay=-1.0), "Invalid `training.weight_decay`"),
        (lambda: SweepConfig(keep_fractions=[0.5, 1.5]), "Invalid `sweep.keep_fractions`.*1.5"),
        (lambda: SweepConfig(data_fractions=[0.0]), "Invalid `sweep.data_fractions`"),
        (lambda: SweepConfig(jobs=0), "Invalid `sweep.jobs`"),
        (lambda: SweepConfig(methods=[{"score": "el2n"}]), "Invalid entry of `sweep.methods`"),
        (lambda: SweepConfig(methods=[{"by": "el2n", "policy": "x"}]), "Unknown policy.*'x'"),
        (lambda: SweepConfig(methods=[{"by": "el2n", "quota": "x"}]), "Unknown quota.*'x'"),
        (
            lambda: SweepConfig(keep_fractions=[]),
            "Invalid `sweep.keep_fractions`. Expected at least",
        ),
        (lambda: SweepConfig(data_fractions=[0.5, 0.5]), "each once"),
        (
            lambda: SweepConfig(methods=["el2n", {"by": "el2n"}]),
            "Invalid `sweep.methods`. Expected",
        ),
        (lambda: SweepConfig(methods=[{"by": "x", "policy": ["hardest"]}]), "Unknown policy"),
        (lambda: SweepConfig(threads=-1), "Invalid `sweep.threads`"),
        (lambda: ProbeConfig(threads=0), "Invalid `probe.threads`"),
        (
            lambda: ProbeConfig(scoring_batch_size=0),
            "Invalid `probe.scoring_batch_size`. Expected a positive integer. Received: .*=0",
        ),
        (lambda: ModelConfig(width=0), "Invalid `model.width`"),
        (lambda: DatasetConfig(seed=-1), "Invalid `dataset.seed`. Expected an integer >= 0"),
        (lambda: Config(seed=-1), "Invalid `seed`. Expected an integer >= 0"),
        (lambda: Config(scores=[]), "Invalid `scores`. Expected at least one"),
        (lambda: Config(scores=["el2n", "el2n"]), "each once"),
        (lambda: Config(scores=[{"every": 2}]), "Invalid entry of `scores`"),
        (lambda: Config(scores=[{"name": "vog", "seeds": 0}]), "Invalid `scores.vog.seeds`"),
    ],
)
def test_refuses_bad_values(make, message):
    with pytest.raises(InputError, match=message):
        make()


def parsed(*arguments):
    """The config of a command line."""
    parser = make_parser()
    values = parser.instantiate(parser.parse_args(["score", *arguments]))["score"]
    return Config(probe=values.probe, scores=values.scores, seed=values.seed)


@pytest.mark.parametrize("text", ["all", "[all]", "[{name: all}]"])
def test_all_is_every_score_there_is(text, tmp_path):
    (tmp_path / "all.yaml").write_text(f"scores: {text}\nprobe: {{seeds: 2}}\n")
    for config in (
        parsed("--scores", text, "--probe.seeds", "2"),
        parsed("--config", str(tmp_path / "all.yaml")),
    ):
        plan = ScoringPlan.from_config(config)
        assert plan.entries == [{"name": name} for name in SCORES]
        assert plan.scores_of_each_seed == dict.fromkeys((0, 1), plan.entries)


@pytest.mark.parametrize("text", ["[all, {name: vog, every: 2}]", "[{name: vog, every: 2}, all]"])
def test_all_leaves_scores_with_options_alone(text):
    entries = ScoringPlan.from_config(parsed("--scores", text)).entries
    assert {"name": "vog", "every": 2} in entries
    assert sorted(entry["name"] for entry in entries) == sorted(SCORES)
    assert [entry for entry in entries if len(entry) > 1] == [{"name": "vog", "every": 2}]


def test_all_may_have_its_own_number_of_seeds():
    config = parsed("--scores", "[{name: all, seeds: 2}, {name: el2n, seeds: 3}, {name: vog}]")
    of_seed = ScoringPlan.from_config(config).scores_of_each_seed
    names = {seed: [entry["name"] for entry in of_seed[seed]] for seed in of_seed}
    assert names == {0: [*names[1][:1], "vog", *names[1][1:]], 1: names[1], 2: ["el2n"]}
    assert sorted(names[0]) == sorted(SCORES)
    assert len(names[1]) == len(SCORES) - 1
    assert not any("seeds" in entry for entries in of_seed.values() for entry in entries)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[all, all]", "Invalid `scores`. Expected at least one, each once"),
        ("[all, {name: all, seeds: 2}]", "each once"),
        ("[all, el2n, {name: el2n, epoch: 2}]", "each once"),
        ("[{name: all, seeds: 0}]", "Invalid `scores.all.seeds`"),
    ],
)
def test_all_once_and_every_other_once(text, message):
    with pytest.raises(InputError, match=message):
        parsed("--scores", text)


def test_a_word_stands_for_the_list_of_that_score():
    assert parsed("--scores", "el2n").scores == [{"name": "el2n"}]
    assert parsed("--scores", "[el2n, vog]").scores == [{"name": "el2n"}, {"name": "vog"}]
