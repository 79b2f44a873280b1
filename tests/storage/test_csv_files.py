"""CSV files: UTF-8 whatever the locale, and no formulas for spreadsheets."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_pruning.storage.csv_files import spreadsheet_text, write_csv

FORMULAS = ['=HYPERLINK("http://x")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


@pytest.mark.parametrize("text", [*FORMULAS, " =1+1", "\n=1", "--"])
def test_a_formula_becomes_text(text):
    assert spreadsheet_text(text) == f"'{text}"
    assert spreadsheet_text(np.str_(text)) == f"'{text}"


@pytest.mark.parametrize("value", ["-1", "-1.5e-3", "+7", "a=b", "", "кот/1.png", -1, 2.5, None])
def test_numbers_and_other_text_stay(value):
    assert spreadsheet_text(value) is value


def test_control_characters_become_escapes():
    text = "a\x1b[2Jb\x00\x9b\u202ec\u2066\x7f"
    assert spreadsheet_text(text) == r"a\x1b[2Jb\x00\x9b\u202ec\u2066\x7f"
    # Ends of lines, spaces of all kinds, joiners and letters of any script stay.
    for text in ("x\ny\tz\r\n", "1\xa0000", "👩\u200d🔬", "שלום", "猫"):
        assert spreadsheet_text(text) == text
    assert spreadsheet_text("\x1b=1") == r"\x1b=1"


def test_a_file_is_read_back_with_every_formula_defused(tmp_path):
    write_csv(
        tmp_path / "t.csv", ["id", "=1"], [[text, -1] for text in [*FORMULAS, "кот", "x,\ny"]]
    )
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["id", "'=1"]
    expected = [f"'{text}" for text in FORMULAS] + ["кот", "x,\ny"]
    assert rows == [[text, "-1"] for text in expected]


def test_files_are_utf8_in_a_locale_that_is_not(tmp_path):
    script = (
        "from keras_pruning.storage.csv_files import write_csv\n"
        "write_csv('t.csv', ['id'], [['\\u043a\\u043e\\u0442'], ['\\udc80']])\n"
    )
    environment = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    root = str(Path(__file__).parents[2])
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": root},
        check=True,
    )
    assert (tmp_path / "t.csv").read_bytes() == "id\r\nкот\r\n\\udc80\r\n".encode()
