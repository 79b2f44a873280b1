"""Config files that are read by nobody: doubled, bottomless, binary and endless ones."""

import os
import re

import pytest
from support.mistakes import fails

from keras_pruning.commands.config_files import MOST_BYTES, check_yaml
from keras_pruning.errors import InputError

LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghij", "bcdefghijk", strict=True)
)


@pytest.mark.parametrize(
    ("text", "received"),
    [
        ("a: 1\nb: 2\na: 3", "the key 'a', which is in line 1 too, in line 3"),
        ("s: {k: 1, l: {k: 2}, k: 3}", "the key 'k', which is in line 1 too, in line 1"),
        ("- {k: 1}\n- k: [1]\n  k: 2", "the key 'k', which is in line 2 too, in line 3"),
        ("a: 1\n'a': 3", "the key 'a', which is in line 1 too, in line 2"),
        (LAUGHS, "more, or endless aliases in line"),
        ("a: &a [*a]", "endless aliases in line 1"),
        ("a: " + "[" * 500 + "]" * 500, "Expected at most 20 levels. Received: a deeper one"),
        ("a: 1\n---\na: 2", "Expected one document. Received: another one, after ---, in line 2"),
        ("? [a, b]\n: 1", "Expected names as keys. Received: a list"),
        ("a: [1", "Cannot read x.yaml as YAML"),
        ("a: *b", "endless aliases"),
        ("a: \x07", "Cannot read x.yaml as YAML"),
    ],
)
def test_yaml_that_is_refused(text, received):
    with pytest.raises(InputError, match="Expected") as error:
        check_yaml(text, "x.yaml")
    assert received in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "a: {k: 1}\nb: {k: 1}",
        "- {k: 1}\n- {k: 1}",
        "a: k\nk: a",
        "a: &x {k: 1}\nb: *x\nc: [*x, *x]",
        "a: &x {k: 1}\nb:\n  <<: *x\n  k: 2",
        "",
    ],
)
def test_yaml_that_is_taken(text):
    check_yaml(text, "x.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"training: {epochs: 7}\ntraining: {batch_size: 64}\n", "'training', which is in line 1"),
        (b"", "Received: a file without keys"),
        (b"- 1\n", "Received: a file without keys"),
        (LAUGHS.encode(), "endless aliases"),
        (b"#" * (MOST_BYTES + 1), "Expected a file of at most 1,048,576 bytes"),
        ("name: café".encode("latin-1"), "Expected a text file in UTF-8"),
        ("a: 1".encode("utf-16"), "Expected a text file in UTF-8"),
        (b"a: \x00", "as YAML"),
    ],
)
def test_files_that_are_refused(content, message, capsys, tmp_path):
    (tmp_path / "a.yaml").write_bytes(content)
    shown = fails(capsys, tmp_path, "score", "--config", tmp_path / "a.yaml")
    assert message in shown
    assert "a.yaml" in shown


def test_paths_that_are_no_files(capsys, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, "/dev/zero"):
        shown = fails(capsys, tmp_path, "score", "--config", path)
        assert f"Received: {path}, which is not a file" in shown
    assert "No such file" in fails(capsys, tmp_path, "score", "--config", tmp_path / "none.yaml")


def test_doubled_keys_of_an_option(capsys, tmp_path):
    shown = fails(capsys, tmp_path, "score", "--dataset", "{name: digits, name: digits}")
    assert "the key 'name', which is in line 1 too" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prune"], "Missing options. Expected --scores, --keep-fraction, --output. Received"),
        (["compare"], "Missing options. Expected --runs. Received"),
        (["compare", "--run", "x"], "--run"),
        (["prune", "--polcy", "x"], "--polcy"),
        (["skore"], "Unknown command. Expected one of score, prune.*'skore'. Did you mean score"),
        ([], "No command. Expected a command that --help lists. Received: none"),
        (["score", "--config"], "Invalid `--config`. Expected a value after it. Received: none"),
        (["score", "extra"], "Unknown option. Expected .* Received: extra"),
        (["doctor", "--suspects", "x"], "`suspects`. Expected an integer or null. Received: x"),
        (["sweep", "--sweep.methods", "el2n"], "`sweep.methods`. Expected a list. Received: el2n"),
    ],
)
def test_mistakes_in_plain_words(arguments, message, capsys, tmp_path):
    shown = fails(capsys, tmp_path, *arguments)
    assert re.search(message, shown)
    assert "class '" not in shown and "subcommand" not in shown
