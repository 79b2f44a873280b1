"""Config files and YAML values: mistakes are named with their line, before anything runs."""

import os
import re
import time
from pathlib import Path

import pytest
import yaml
from support.mistakes import fails

from keras_pruning.cli import main, make_parser
from keras_pruning.commands.config_files import check_arguments, check_config_file, closest
from keras_pruning.commands.parser import keys_of
from keras_pruning.errors import InputError

KNOWN = keys_of(make_parser().commands["doctor"])
# Nine levels of ten aliases each stand for a billion values.
BOMB = "scores: &a0 [x, x, x, x, x, x, x, x, x, x]\nsweep:\n" + "".join(
    f"  k{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
)


def checked(tmp_path, content):
    path = tmp_path / "c.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    check_config_file(path, KNOWN)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "training: {epochs: 7}\nprobe: {epochs: 2}\ntraining: {batch_size: 64}\n",
            "key `training` is given twice .*line 1 and in line 3. Merge the two",
        ),
        ("training:\n  epochs: 7\n  epochs: 8\n", "`epochs` is given twice .*line 2 and in line 3"),
        ("scores: [{name: vog, every: 2, every: 3}]", "key `every` is given twice"),
        ("datset: {}", "Unknown key `datset` .*, line 1. Expected.* Did you mean dataset?"),
        ("seed: 1\ndataset: {nam: x}", "`dataset.nam` .*, line 2. .*Did you mean dataset.name?"),
        ("epochs: 3", "Did you mean probe.epochs or training.epochs?"),
        ("config: other.yaml", "Unknown key `config`"),
        ("dataset: digits", "Invalid section `dataset` .*, line 1. Expected keys among .*digits"),
        ("dataset:", "Invalid section `dataset` .*Received: nothing"),
        ("- a", "Invalid config .*. Expected sections and keys"),
        ("", "Received: an empty file"),
        ("? [1]\n: 2", "Unknown key `a sequence`"),
        ("training: [epochs, 1", "Cannot read the config .*, line 1, column 21. Expected YAML"),
        ("seed: 3 # \x1b", "Cannot read the config"),
        (BOMB, "Too many values in .*, line 6. Expected at most 100,000, with aliases"),
        ("scores: &a [*a]", "A value in .* contains itself, line 1"),
        ("scores: " + "[" * 5000, "nested too deeply"),
        ("seed: 3\n".encode("utf-16"), "is no text in UTF-8. Expected a YAML file. Received: the"),
        (bytes(range(128, 256)), "is no text in UTF-8"),
        ("# " + "x" * 2**20, "too large. Expected at most 1,048,576 bytes"),
    ],
)
def test_mistakes_of_a_file_are_named(content, message, tmp_path):
    start = time.perf_counter()
    with pytest.raises(InputError, match=message):
        checked(tmp_path, content)
    assert time.perf_counter() - start < 5


def test_aliases_and_every_key_of_a_config_are_taken(tmp_path):
    checked(
        tmp_path, "probe: &p {epochs: 2}\ntraining: *p\nscores: [el2n, {name: vog}]\nnoise: 0.1"
    )


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for name, kind in (("fifo", "no regular file"), (".", "a folder"), ("nowhere", "none")):
        with pytest.raises(InputError, match=rf"Missing config file.*\({kind}\)"):
            check_config_file(tmp_path / name, KNOWN)


def test_values_on_the_command_line_have_no_key_twice():
    check_arguments(["--policy", "{name: a, beta: 1}", "--scores=[{name: a}, {name: b}]", "{x"])
    for arguments in (["--policy", "{name: a, name: b}"], ["--scores=[{name: a, name: b}]"]):
        with pytest.raises(InputError, match="`name` is given twice in the command line"):
            check_arguments(arguments)


def test_suggestions():
    assert closest("dataset.nam", KNOWN) == ". Did you mean dataset.name?"
    assert closest("zzz", KNOWN) == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "No command. Expected one of score, import, prune, .*Received: none"),
        (["skore"], "Unknown command. Expected one of .*'skore'. Did you mean score?"),
        (["prune"], "Missing options. Expected --scores, --keep-fraction, --output. Received"),
        (["compare"], "Expected --runs. .*compare --help"),
        (["compare", "--runs"], "The option --runs has no value"),
        (["score", "--scores"], "The option --scores has no value"),
        (["score", "extra"], "Expected options only. Received: extra"),
        (["score", "b.keras"], "Received: b.keras. Put the pattern of --checkpoints in quotes"),
        (["score", "--probe.epoch", "3"], "Unknown option --probe.epoch. .*mean --probe.epochs?"),
        (["score", "--zzz=3"], "Unknown option --zzz. Expected one that .*Received: --zzz=3\n"),
        (["score", "--dataset", "3"], "Invalid section `dataset`. Expected a dictionary"),
        (["score", "--model.width", "3.5"], "Invalid `model.width`. Expected an integer. Rec.*3.5"),
        (["score", "--probe.seeds", "a"], "Expected an integer or a list of integers. Received: a"),
        (["score", "--training.budget", "x"], "Expected one of 'steps', 'epochs'. Received: x"),
        (["sweep", "--sweep.save_models", "x"], "Expected true or false. Received: x"),
        (["doctor", "--suspects", "abc"], "Invalid `suspects`. Expected an integer. Received: abc"),
        (["sweep", "--sweep.keep_fractions", f"[{'9' * 400}]"], "Expected a number.*too large"),
        (
            ["score", "--probe.epochs", "9" * 5000],
            "Invalid `probe.epochs`. Expected a value .*digits",
        ),
        (["doctor", "--noise", "\x1b[1m"], r"Received: \\x1b\[1m"),
        (["sweep", "--config", "nowhere.yaml"], r"Missing config file.*nowhere.yaml \(none\)"),
    ],
)
def test_mistakes_of_a_command_line(arguments, message, tmp_path, capsys):
    shown = fails(capsys, tmp_path, *arguments)
    assert re.search(message, shown)
    assert shown.count("\n") == 1


def test_a_merge_key_takes_the_keys_of_another_section(tmp_path):
    checked(tmp_path, "training: &t {epochs: 3}\nprobe: {<<: *t, seeds: 2}\n")
    checked(tmp_path, "training: &t {epochs: 3}\nprobe: {<<: [*t, {seeds: 2}]}\n")
    with pytest.raises(InputError, match="Unknown key `probe.optimizer`"):
        checked(tmp_path, "training: &t {optimizer: adam}\nprobe: {<<: *t}\n")


@pytest.mark.parametrize("config", [["--config", "small.yaml"], ["--config=small.yaml"]])
def test_options_win_over_the_config_in_any_order(config, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text("probe: {epochs: 3}\n")
    option = ["--probe.epochs", "7"]
    for arguments in ([*option, *config], [*config, *option]):
        with pytest.raises(SystemExit):
            main(["score", *arguments, "--print_config"])
        shown = capsys.readouterr().out
        assert yaml.safe_load(shown)["probe"]["epochs"] == 7
