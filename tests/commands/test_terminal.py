"""Text from data on the terminal: shown, and neither obeyed nor read as markup."""

import logging
import subprocess
import sys
import unicodedata
import warnings
from pathlib import Path

import numpy as np
import pytest

from keras_pruning import cli
from keras_pruning.commands import terminal
from keras_pruning.errors import InputError
from keras_pruning.reports.terminal_tables import new_table
from keras_pruning.reports.terminal_text import defused
from keras_pruning.tables.score_table import ScoreTable
from keras_pruning.wrong_labels.diagnosis import diagnose
from keras_pruning.wrong_labels.report import as_tables

ROOT = Path(__file__).parents[2]
# Names that a terminal or Rich would obey, and how they are shown.
NAMES = {
    "[/x]": "[/x]",
    "[bold red]cat": "[bold red]cat",
    ":cat:": ":cat:",
    "\x1b[2J\x1b]0;t\x07": r"\x1b[2J\x1b]0;t\x07",
    "a\nerror: b\r": r"a\nerror: b\r",
    "\x9b31m": r"\x9b31m",
    "\u202egnp.exe\u2066": r"\u202egnp.exe\u2066",
    "\u2028\ufeff\udc80": r"\u2028\ufeff\udc80",
    "кот": "кот",
    "\u0645\u06cc\u200c\u0631\u0648\u0645": "\u0645\u06cc\u200c\u0631\u0648\u0645",
    "👩\u200d💻": "👩\u200d💻",
}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_characters_that_a_terminal_obeys_are_escaped(name):
    assert defused(name) == NAMES[name]


def test_no_control_character_of_unicode_gets_through():
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    kept = {unicodedata.category(char) for char in set(defused(every)) - {"\u200c", "\u200d"}}
    assert kept.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    assert {"Lu", "Lo", "Mn", "So", "Zs"} <= kept


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_is_shown_in_lines_tables_and_messages(name, capsys):
    table = new_table(["id", name], words=("id",))
    table.add_row(name, "1")
    terminal.show(f"Kept {name}.")
    terminal.show(table)
    shown = capsys.readouterr().out
    assert shown.count(NAMES[name]) == 3
    terminal.show_message("error", InputError(f"Wrong. Received: {name}"))
    assert capsys.readouterr().err.replace(
        "\n  ", r"\n"
    ) == f"error: Wrong. Received: {NAMES[name]}\n".replace(r"\r", "")


def test_the_lines_of_a_message_cannot_pass_for_another_one():
    assert terminal.message("error", "one\nerror: two\x1b\n") == "error: one\n  error: two\\x1b"


def test_the_doctor_shows_classes_that_look_like_markup(capsys):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % len(NAMES)
    noisy = labels.copy()
    noisy[:6] = (noisy[:6] + 1) % len(NAMES)
    metadata = {"scores": {"el2n": {"higher_is_harder": True}}}
    table = ScoreTable(np.arange(60), noisy, {"el2n": rng.random(60)}, metadata=metadata)
    for title, content in as_tables(diagnose(table, labels, list(NAMES), 0.1)):
        terminal.show(title)
        terminal.show(content)
    assert "[/x]" in capsys.readouterr().out


def test_log_messages_are_one_line_each():
    record = logging.LogRecord("keras_pruning", 20, "", 0, "Reused %s", ("a\n\x1b[1m",), None)
    formatter = terminal._LineFormatter("%(message)s")
    assert formatter.format(record) == r"Reused a\n\x1b[1m"


@pytest.mark.filterwarnings("default")
def test_a_warning_is_a_readable_line(capsys, monkeypatch):
    def warn(values):
        warnings.warn("The class '\x1b' is gone.", stacklevel=2)
        yield "done"

    monkeypatch.setattr(cli.COMMANDS["compare"], "run", warn)
    before = warnings.showwarning
    assert cli.main(["compare", "--runs", "x"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "done\n"
    assert shown.err == "warning: The class '\\x1b' is gone.\n"
    assert warnings.showwarning is before


def test_a_terminal_without_unicode_gets_escapes():
    script = (
        "from keras_pruning.commands import terminal\n"
        "with terminal.readable_messages():\n"
        "    terminal.show('0.5 \\u00b1 \\u043a')\n"
    )
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    finished = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert finished.stdout == b"0.5 \\xb1 \\u043a\n"


def test_a_table_in_a_pipe_is_as_wide_as_its_words(capsys):
    names = [f"orderdp-a=0.9-f=0.{number}" for number in range(5)]
    table = new_table([f"a column of {name}" for name in names])
    table.add_row(*(name * 2 for name in names))
    terminal.show(table)
    lines = capsys.readouterr().out.splitlines()
    assert all(name * 2 in lines[-2] for name in names)
    assert len(lines[-2]) > 112


def test_a_table_in_a_pipe_has_112_columns_at_most_if_it_can(capsys):
    table = new_table(["name"], words=["name"])
    table.add_row("word " * 100)
    terminal.show(table)
    assert max(map(len, capsys.readouterr().out.splitlines())) == 112
