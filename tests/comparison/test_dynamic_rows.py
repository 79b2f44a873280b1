"""The comparison of methods that prune while training, with two baselines at their own share."""

import csv

import pytest
from rich.console import Console
from support.fake_runs import EL2N, RANDOM, write_dynamic_run, write_run

from keras_pruning import InputError
from keras_pruning.commands.compare import show_comparison
from keras_pruning.comparison.classes import compare_classes
from keras_pruning.comparison.ledger import smallest_subsets
from keras_pruning.comparison.report import write_comparison
from keras_pruning.comparison.rows import compare
from keras_pruning.comparison.runs import find_runs
from keras_pruning.comparison.scaling import scaling_of
from keras_pruning.reports.comparison import as_tables

INFOBATCH = {"name": "infobatch", "r": 0.8}


def write(folder, dynamic, accuracy, shares, **changes):
    for seed, share in enumerate(shares):
        write_dynamic_run(folder, accuracy + 0.001 * seed, dynamic, share, seed, **changes)


@pytest.fixture
def folder(tmp_path):
    """Runs of a method that saw 0.6 of the examples in the mean, and of its baselines."""
    for seed in range(3):
        write_run(tmp_path, 0.9 + 0.001 * seed, seed=seed)
        write_run(tmp_path, 0.7 + 0.001 * seed, RANDOM, 0.6, seed)
        write_run(tmp_path, 0.7 + 0.001 * seed, EL2N, 0.6, seed)
    write(tmp_path, INFOBATCH, 0.89, [0.59, 0.6, 0.61])
    write(tmp_path, {"name": "rs2", "f": 0.6}, 0.85, [0.6] * 4)
    write(tmp_path, {"name": "shortened", "f": 0.6}, 0.8, [0.6] * 4)
    return tmp_path


def rows_of(folder):
    return {row.method: row for row in compare(find_runs(folder))}


def test_a_method_is_compared_at_the_mean_share_it_saw(folder):
    rows = rows_of(folder)
    row = rows["infobatch-r=0.8"]
    assert (row.keep_fraction, row.runs, row.steps) == (0.6, 3, 24)
    assert (row.verdict, row.against) == ("better", "rs2-f=0.6")
    assert row.difference == pytest.approx(0.891 - 0.8515)
    assert row.outcome.comparisons == 3
    assert (rows["rs2-f=0.6"].against, rows["rs2-f=0.6"].verdict) == ("shortened-f=0.6", "better")
    assert rows["shortened-f=0.6"].outcome.verdict == "baseline"
    # Static methods of the same fraction are another family.
    assert (rows["el2n-hardest"].against, rows["el2n-hardest"].outcome.comparisons) == ("random", 1)


def test_baselines_stand_above_the_method(folder):
    order = [(row.keep_fraction, row.method) for row in compare(find_runs(folder))]
    assert order == [
        (1.0, "full"),
        (0.6, "random"),
        (0.6, "el2n-hardest"),
        (0.6, "rs2-f=0.6"),
        (0.6, "shortened-f=0.6"),
        (0.6, "infobatch-r=0.8"),
    ]


def test_one_baseline_alone_allows_no_verdict(tmp_path):
    write(tmp_path, INFOBATCH, 0.89, [0.6] * 3)
    write(tmp_path, {"name": "rs2", "f": 0.6}, 0.8, [0.6] * 3)
    assert rows_of(tmp_path)["infobatch-r=0.8"].outcome is None


def test_rs2_without_options_is_the_baseline_of_its_share(tmp_path):
    write(tmp_path, INFOBATCH, 0.89, [0.4996] * 3)
    write(tmp_path, {"name": "rs2"}, 0.85, [0.5] * 3)
    write(tmp_path, {"name": "shortened", "f": 0.5}, 0.8, [0.5] * 3)
    rows = rows_of(tmp_path)
    assert rows["infobatch-r=0.8"].against == "rs2"
    assert rows["rs2"].against == "shortened"


def test_a_default_in_the_options_is_no_other_method(tmp_path):
    """As runs of an earlier version have it."""
    write(tmp_path, {"name": "infobatch", "r": 0.5}, 0.89, [0.6] * 3)
    write(tmp_path, {"name": "rs2", "f": 0.5}, 0.85, [0.5] * 3)
    assert set(rows_of(tmp_path)) == {"infobatch", "rs2"}


def test_a_trained_baseline_serves_shares_that_are_near(tmp_path):
    """Another seed moves the mean share of a method, and its baselines stay."""
    for name in ("rs2", "shortened"):
        write(tmp_path, {"name": name, "f": 0.605}, 0.8, [0.605] * 3)
    write(tmp_path, INFOBATCH, 0.89, [0.6, 0.61, 0.62])
    row = rows_of(tmp_path)["infobatch-r=0.8"]
    assert (row.keep_fraction, row.against) == (0.605, "rs2-f=0.605")


def test_all_dynamic_methods_are_one_family(folder):
    alone = rows_of(folder)["infobatch-r=0.8"].outcome.p_adjusted
    write(folder, {"name": "seta"}, 0.89, [0.3] * 3)
    for name in ("rs2", "shortened"):
        write(folder, {"name": name, "f": 0.3}, 0.8, [0.3] * 4)
    rows = rows_of(folder)
    compared = [row for row in rows.values() if row.is_dynamic and row.is_compared]
    assert {row.outcome.comparisons for row in compared} == {6} and len(compared) == 4
    assert rows["seta"].against == "rs2-f=0.3"
    assert rows["infobatch-r=0.8"].outcome.p_adjusted > alone
    assert (rows["el2n-hardest"].outcome.comparisons, rows["random"].is_baseline) == (1, True)


def test_the_table_is_whole_on_a_narrow_terminal(folder):
    for width in (80, 100):
        console = Console(width=width)
        with console.capture() as capture:
            for table in as_tables(compare(find_runs(folder))):
                console.print(table)
        lines = capture.get().splitlines()
        assert {line[-1] for line in lines if line.startswith("│")} == {"│"}


def test_another_method_is_no_other_recipe(folder):
    write(folder, {"name": "seta"}, 0.8, [0.5] * 2)
    assert rows_of(folder)["seta"].outcome is None
    config = {
        "dataset": {"name": "digits", "fraction": 1.0},
        "model": {"name": "mlp"},
        "training": {"epochs": 6, "dynamic": {"name": "orderdp"}},
    }
    write(folder, {"name": "orderdp"}, 0.8, [0.5], config=config)
    with pytest.raises(InputError, match=r"Expected the same training\.epochs in all"):
        find_runs(folder)


def test_a_dynamic_method_saves_at_once_and_keeps_no_subset(folder):
    comparison = write_comparison(folder)
    ledger = {row.method: row for row in comparison.ledger}
    row = ledger["infobatch-r=0.8"]
    assert (row.scoring_examples, row.selecting_examples, row.examples_ratio) == (0, 0, 0.6)
    assert (row.pays, row.pays_after) == ("after", 0)
    assert (ledger["full"].pays, ledger["full"].pays_by) == ("", "")
    assert {name for _, name in smallest_subsets(comparison.rows)} <= {"random", "el2n-hardest"}
    assert {row.method for row in scaling_of(comparison.rows)} == {"random", "el2n-hardest"}


def test_the_share_of_a_class_is_of_all_epochs(tmp_path):
    for seed in range(2):
        write_run(tmp_path, 0.9, seed=seed, class_examples=[800, 200])
    write(tmp_path, INFOBATCH, 0.8, [0.5] * 2, class_examples=[800, 200])
    shares = [row.kept_share for row in compare_classes(find_runs(tmp_path))]
    assert shares == [0.5, 0.5]


def shown(folder):
    console = Console(width=200)
    with console.capture() as capture:
        for part in show_comparison(write_comparison(folder), folder):
            console.print(part)
    return capture.get()


def test_what_a_comparison_shows(folder):
    text = shown(folder)
    (line,) = [line for line in text.splitlines() if " infobatch-r=0.8 " in line][:1]
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells[:4] == ["60 %", "infobatch-r=0.8", "24", "3.0"]
    assert cells[4].startswith("89.10 ±") and cells[5].startswith("+3.95 ±")
    assert cells[6] == "better"
    assert text.index("rs2-f=0.6") < text.index("infobatch-r=0.8")
    assert "3 seeds, 4 of the baselines" in " ".join(text.split())
    words = " ".join(text.split())
    assert "better than both baselines, or worse than either" in words
    assert "adjusted for the 3 comparisons of such methods and their baselines" in words
    with open(folder / "comparison" / "comparison.csv") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert rows["infobatch-r=0.8"]["against"] == "rs2-f=0.6"
    assert rows["infobatch-r=0.8"]["prunes_while_training"] == "True"
    assert rows["el2n-hardest"]["prunes_while_training"] == "False"


def test_without_static_methods_there_is_one_table(tmp_path):
    write_run(tmp_path, 0.9)
    write(tmp_path, INFOBATCH, 0.89, [0.6])
    text = shown(tmp_path)
    assert "to random" not in text and "to baseline" in text
    assert "against random" not in text
