import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console
from support import small
from support.board import Board

import keras_pruning as kp
from keras_pruning.reports.prediction_depth import as_table, write_depth_curves
from keras_pruning.scores import PredictionDepth

DETAILS = {
    "support": 1200,
    "network_accuracy": 0.975,
    "probe_accuracy": {"input": 0.5, "<input>[b]": 0.75, "softmax": 0.96875},
    "accuracy_by_depth": [
        {"depth": 0, "examples": 2000, "accuracy": 0.99},
        {"depth": 2, "examples": 10, "accuracy": 0.5},
        {"depth": 3, "examples": 1, "accuracy": 0.0},
    ],
}


def printed(details, width):
    console = Console(width=width)
    with console.capture() as capture:
        console.print(as_table(details))
    return capture.get()


def cells(text, name):
    """The cells of the row that names a probe."""
    (line,) = [line for line in text.splitlines() if name in line]
    return [cell.strip() for cell in line.split("│")[1:-1]]


def test_the_table_has_a_row_for_each_layer_and_one_for_never():
    text = printed(DETAILS, 120)
    assert "Prediction depth, neighbours among 1,200 examples" in text
    assert cells(text, "all") == ["all", "", "", "2,011", "97.5"]
    assert cells(text, " input ") == ["0", "input", "50.0", "2,000", "99.0"]
    assert cells(text, "<input>[b]") == ["1", "<input>[b]", "75.0", "0", ""]
    assert cells(text, "softmax") == ["2", "softmax", "96.9", "10", "50.0"]
    assert cells(text, "(none)") == ["3", "(none)", "", "1", "0.0"]


@pytest.mark.parametrize("width", [45, 80])
def test_the_table_fits_a_narrow_terminal_with_every_number(width):
    text = printed(DETAILS, width)
    assert max(map(len, text.splitlines())) <= width
    for number in ("50.0", "96.9", "2,000", "99.0"):
        assert number in text


def test_the_curves_come_back(tmp_path):
    write_depth_curves(tmp_path / "run", DETAILS)
    board = Board(tmp_path)
    tags = board.tags("run", "scalars")
    assert set(tags) == {
        f"prediction_depth/{name}"
        for name in ("probe_accuracy", "accuracy_by_depth", "examples_by_depth")
    }
    assert all("The step is" in text and "Smoothing" in text for text in tags.values())
    for name, expected in {
        "probe_accuracy": [(0, 0.5), (1, 0.75), (2, 0.96875)],
        "accuracy_by_depth": [(0, np.float32(0.99)), (2, 0.5), (3, 0.0)],
        "examples_by_depth": [(0, 2000), (1, 0), (2, 10), (3, 1)],
    }.items():
        assert board.scalars("run", f"prediction_depth/{name}") == expected


def test_the_text_says_which_probe_has_which_number(tmp_path):
    write_depth_curves(tmp_path / "run", DETAILS)
    text = Board(tmp_path).tensor("run", "prediction_depth/probes", "text").item().decode()
    assert "| 0 | `input` | 50.0 | 2,000 | 99.0 |" in text
    assert "| 3 | `(none)` |  | 1 | 0.0 |" in text
    assert "| 1 | `<input>[b]` | 75.0 | 0 |  |" in text
    assert "| all |  |  | 2,011 | 97.5 |" in text
    assert "depth is 3 if" in text.replace("\n", " ")
    for name in ("probe_accuracy", "accuracy_by_depth", "examples_by_depth"):
        assert f"`{name}`" in text


def test_the_table_shows_the_details_of_the_score(tmp_path):
    examples = small.digits(60)
    model = small.network(examples)
    table = kp.score_checkpoints([model], examples, [PredictionDepth(k=3)])
    table.save(tmp_path / "scores.parquet")
    loaded = kp.ScoreTable.load(tmp_path / "scores.parquet")
    details = loaded.metadata["scores"]["prediction_depth"]
    write_depth_curves(tmp_path / "run", details)
    board = Board(tmp_path)
    depths = table["prediction_depth"].astype(int)
    counts = [count for _, count in board.scalars("run", "prediction_depth/examples_by_depth")]
    np.testing.assert_array_equal(counts, np.bincount(depths, minlength=5))
    text = printed(details, 120)
    for number, (name, accuracy) in enumerate(details["probe_accuracy"].items()):
        expected = [str(number), name, f"{100 * accuracy:.1f}", str(int(counts[number]))]
        assert cells(text, name)[:4] == expected


def test_it_never_imports_tensorflow(tmp_path):
    code = f"""
import sys
from keras_pruning.reports.prediction_depth import as_table, write_depth_curves
details = {DETAILS!r}
as_table(details)
write_depth_curves({str(tmp_path / "run")!r}, details)
loaded = {{name.partition(".")[0] for name in sys.modules}} & {{"tensorflow", "keras"}}
sys.exit(f"loaded: {{loaded}}" if loaded else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_title_says_that_other_probes_are_not_shown():
    details = {
        "support": 1200,
        "network_accuracy": 0.5,
        "probe_accuracy": {"input": 0.5},
        "accuracy_by_depth": [{"depth": 0, "examples": 4, "accuracy": 0.5}],
    }
    assert as_table(details).title == "Prediction depth, neighbours among 1,200 examples"
    assert as_table(details, 3).title.endswith("1,200 examples, the first of 3 probes")
