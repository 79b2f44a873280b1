"""CSV files: UTF-8 whatever the locale, and no formulas for spreadsheets."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_pruning.storage import csv_files
from keras_pruning.storage.csv_files import spreadsheet_text, write_columns, write_csv

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


ODD = [
    *FORMULAS,
    "",
    " ",
    " =1",
    "-1",
    "a-b",
    "'",
    'say "x"',
    "a,b",
    "x\ny",
    "\x1b[2J",
    "кот/1.png",
]


@pytest.mark.parametrize("block", [1, 3, 2**16])
@pytest.mark.parametrize("texts", [ODD, ["a/1.png", "b=2", "кот", ""], [""], []])
def test_columns_are_written_as_their_rows(block, texts, tmp_path, monkeypatch):
    monkeypatch.setattr(csv_files, "_BLOCK", block)
    rng, count = np.random.default_rng(0), len(texts)
    bits = rng.integers(2**32, size=count, dtype=np.uint32).view(np.float32)
    columns = {
        "id": np.array(texts, np.dtypes.StringDType()),
        "=fixed": np.array(texts, f"U{max(map(len, texts), default=1)}"),
        "label": np.arange(count) - 1,
        "score": np.where(np.isfinite(bits), bits, np.float32(1e-5)),
        "wide": rng.random(count) * 1e-7,
        "marked": np.arange(count) % 2 == 0,
    }
    for chosen in (columns, {"id": columns["id"]}):
        write_columns(tmp_path / "columns.csv", chosen)
        write_csv(tmp_path / "rows.csv", chosen, zip(*chosen.values(), strict=True))
        written = (tmp_path / "columns.csv").read_bytes()
        assert written == (tmp_path / "rows.csv").read_bytes()


def test_unpaired_surrogates_in_columns(tmp_path):
    write_columns(tmp_path / "t.csv", {"id": np.array(["\udc80", "a"]), "label": np.arange(2)})
    assert (tmp_path / "t.csv").read_bytes() == b"id,label\r\n\\udc80,0\r\na,1\r\n"


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
