"""CSV files: UTF-8 in every locale, and text that no spreadsheet takes for a formula."""

import csv
import subprocess
import sys

import numpy as np
import pytest

from keras_pruning.tables.csv_files import write_csv


def written(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(
    "formula",
    ['=cmd|" /C calc"!A0', "+A1", "-1-A1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＠A"],
)
def test_formulas_get_an_apostrophe(formula, tmp_path):
    write_csv(tmp_path / "a.csv", ["id", formula], [[formula, 1], [np.str_(formula), 2]])
    assert written(tmp_path / "a.csv") == [
        ["id", f"'{formula}"],
        [f"'{formula}", "1"],
        [f"'{formula}", "2"],
    ]


def test_numbers_and_plain_text_stay(tmp_path):
    numbers = [-1, -0.5, np.float32(-0.25), True, None, "-1.5e-07"]
    texts = ["", "a=b", 'x,"y"', "кот/1.png", "a\nb"]
    write_csv(tmp_path / "a.csv", ["n"] * 11, [[*numbers, *texts]])
    assert written(tmp_path / "a.csv")[1] == [
        *["-1", "-0.5", "-0.25", "True", "", "-1.5e-07"],
        *texts,
    ]


def test_the_encoding_does_not_depend_on_the_locale(tmp_path):
    script = (
        "from keras_pruning.tables.csv_files import write_csv\n"
        f"write_csv({str(tmp_path / 'a.csv')!r}, ['id'], [['\\u043a\\u043e\\u0442'], ['\\udcff']])"
    )
    environment = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    environment["PYTHONPATH"] = ":".join(sys.path)
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert written(tmp_path / "a.csv") == [["id"], ["кот"], ["\\udcff"]]
