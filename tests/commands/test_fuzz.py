"""Command lines and config files made at random: one message and exit code 2, never a traceback."""

import logging
import random
import re

import pytest
import yaml
from support.small import run

from keras_pruning.cli import make_parser

# An impossible fraction ends every command that a fuzzed line happens to leave valid.
BASE = {
    "dataset": {"name": "digits", "fraction": 0.0001},
    "model": {"name": "mlp", "width": 8},
    "probe": {"epochs": 2, "seeds": [0, 1]},
    "scores": ["el2n", {"name": "vog", "every": 2}],
    "training": {"epochs": 1, "batch_size": 32, "schedule": "cosine"},
    "sweep": {"methods": [{"by": "el2n", "policy": "easiest"}], "keep_fractions": [0.5]},
    "seed": 3,
}
VALUES = (
    *("", "3", "-1", "1e400", ".nan", "null", "true", "[]", "{}", "[1, 2]", "{name: el2n}", "[[]]"),
    *(
        "all",
        "{a: 1, a: 2}",
        "&a [*a]",
        "[" * 3000,
        "!!python/name:os.system",
        "\x1b[31m",
        "é\u202e",
    ),
    *(
        "\udc80",
        "%",
        "'",
        '"',
        ":",
        "- -",
        "@x",
        "0x10",
        "10" * 200,
        "../../x",
        "npz:",
        "tfds:../x",
    ),
)
COMMANDS = ("score", "prune", "train", "sweep", "doctor", "duplicates", "compare")
PARSERS = make_parser().commands


def command_line(random_):
    """A command and some of its options, or other words, with values of any kind."""
    command = random_.choice(COMMANDS)
    options = [option for option in PARSERS[command]._option_string_actions if option[:2] == "--"]
    options = [option for option in options if not option.startswith(("--help", "--print"))]
    words = [command] if random_.random() < 0.95 else [random_.choice(VALUES)]
    for _ in range(random_.randint(0, 5)):
        option = random_.choice([*options, "--zzz", "--dataset.nam", "x"])
        value = random_.choice(VALUES)
        words += random_.choice([[option, value], [f"{option}={value}"], [option]])
    return words


def mutated(text, random_):
    """A config whose text or whose values were changed in some places."""
    if random_.random() < 0.5:
        config = yaml.safe_load(text)
        section = random_.choice(list(config))
        target = config[section] if isinstance(config[section], dict) else config
        key = random_.choice(list(target))
        target[random_.choice([key, key, f"{key}x"])] = random_.choice([*VALUES, 3, None, [], {}])
        text = yaml.safe_dump(config, allow_unicode=True)
    for _ in range(random_.randint(0, 3)):
        start = random_.randrange(len(text))
        end = min(len(text), start + random_.randint(0, 12))
        piece = random_.choice([*VALUES, "", "\n", "\t", text[start:end] * 2, "\0"])
        text = text[:start] + piece + text[end:]
    return text.encode("utf-8", "surrogatepass")


def message_of(capsys, arguments):
    """The exit code and the message of a command, which may not raise anything but an exit."""
    try:
        code = run(*arguments)
    except SystemExit as error:
        code = error.code
    return code, capsys.readouterr().err


def require_one_message(capsys, arguments, tmp_path):
    code, shown = message_of(capsys, arguments)
    assert code == 2, (arguments, shown)
    assert shown.startswith("error: "), (arguments, shown)
    assert re.search(r"\n(?!  )(?!\Z)", shown) is None, (arguments, shown)
    assert "Traceback" not in shown
    assert sorted(path.name for path in tmp_path.iterdir()) in ([], ["c.yaml"])


def fuzz_lines(seed, count, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random_ = random.Random(seed)
    for _ in range(count):
        words = command_line(random_)
        # Written last, so that it counts: nothing that a line leaves valid may run.
        last = (
            ["--dataset.fraction=0.0001"]
            if words[0] in ("score", "train", "sweep", "doctor", "duplicates")
            else []
        )
        require_one_message(capsys, [*words, *last], tmp_path)


def fuzz_configs(seed, count, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random_ = random.Random(seed)
    text = yaml.safe_dump(BASE)
    for _ in range(count):
        (tmp_path / "c.yaml").write_bytes(mutated(text, random_))
        command = random_.choice(("score", "train", "sweep", "doctor", "duplicates"))
        arguments = [command, "--config", "c.yaml", "--dataset.fraction=0.0001"]
        require_one_message(capsys, arguments, tmp_path)


@pytest.fixture(autouse=True)
def no_captured_log(monkeypatch):
    """Keeps words that are not UTF-8 out of the captured log. pytest-xdist cannot send them."""
    monkeypatch.setattr(logging.getLogger("keras_pruning"), "disabled", True)


@pytest.mark.slow
@pytest.mark.parametrize("fuzz", [fuzz_lines, fuzz_configs])
def test_tens_of_fuzzed_commands_give_one_message_each(fuzz, capsys, tmp_path, monkeypatch):
    fuzz(0, 40, capsys, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("fuzz", [fuzz_lines, fuzz_configs])
def test_300_fuzzed_commands_give_one_message_each(fuzz, capsys, tmp_path, monkeypatch):
    fuzz(1, 300, capsys, tmp_path, monkeypatch)
