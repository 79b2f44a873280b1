"""The ledger by hand: runs and scorings whose costs are written down."""

import io

import numpy as np
import pytest
from support.fake_runs import EL2N, RANDOM, write_run

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.comparison.comparison import Comparison
from keras_pruning.comparison.costs import Cost, find_scorings, mean_cost
from keras_pruning.comparison.ledger import make_ledger, smallest_subsets
from keras_pruning.comparison.report import _training_tables, write_comparison
from keras_pruning.comparison.rows import compare
from keras_pruning.comparison.runs import find_runs
from keras_pruning.comparison.scaling import scaling_of
from keras_pruning.reports.ledger import as_table, lines
from keras_pruning.storage import write_json

EPOCHS = {
    "dataset": {"name": "digits", "fraction": 1.0},
    "model": {"name": "mlp"},
    "training": {"epochs": 5, "budget": "epochs"},
}
STEPS = {**EPOCHS, "training": {"epochs": 5, "budget": "steps"}}
PROBE = {"examples_seen": 1000, "examples_forward": 500, "examples_with_gradients": 0}
COST = {"seconds": 9.0, "examples_seen": 2000, "examples_forward": 1000}
COST |= {"examples_with_gradients": 0, "flops": 7000}
COST["probes"] = [{"seconds": 4.0, **PROBE}, {"seconds": 3.0, **PROBE}]


def write_scores(folder, cost, **metadata):
    examples = kp.Examples.from_arrays(np.zeros((2, 3), "float32"), np.array([0, 1]))
    metadata = {
        "examples": examples.provenance,
        "scores": {"el2n": {"higher_is_harder": True}},
        **metadata,
    }
    table = kp.ScoreTable(examples.ids, examples.labels, {"el2n": [1, 2]}, metadata=metadata)
    table.save(folder / "scores.parquet")
    write_json(folder / "scoring.json", cost)


def write(folder, method, keep_fraction=0.5, seeds=2, config=EPOCHS, **changes):
    """Writes runs of 5,000 · `keep_fraction` examples and 10 operations for each of them."""
    changes = {"seconds": 8 * keep_fraction, **changes}
    for seed in range(seeds):
        write_run(
            folder,
            0.9,
            method,
            keep_fraction,
            seed,
            config=config,
            **{
                "examples_seen": 5000 * keep_fraction,
                "flops": 50000 * keep_fraction,
                "selecting_seconds": None if method is None else 0.5,
                **changes,
            },
        )


def comparison_of(folder):
    """Returns the comparison of a folder, without writing anything."""
    runs = find_runs(folder)
    rows, scorings = compare(runs), find_scorings(_training_tables(folder))
    ledger, smallest = make_ledger(runs, rows, scorings), smallest_subsets(rows)
    return Comparison(runs, rows, [], {}, {}, ledger, smallest, scaling_of(rows), scorings)


def ledger_of(folder):
    return {(row.method, row.keep_fraction): row for row in comparison_of(folder).ledger}


def sentences(folder):
    return " ".join(lines(comparison_of(folder)))


def test_totals_ratios_and_payback_by_hand(tmp_path):
    write_scores(tmp_path, COST)
    write(tmp_path, None, 1.0)
    write(tmp_path, RANDOM)
    write(tmp_path, EL2N)
    ledger = ledger_of(tmp_path)
    row = ledger["el2n-hardest", 0.5]
    # Scoring: 2,000 + 1,000 examples. Training on half of 5,000.
    assert (row.scoring_examples, row.training_examples, row.examples) == (3000, 2500, 5500)
    assert (row.scoring_flops, row.training_flops, row.flops) == (7000, 25000, 32000)
    # The seconds of both probes, half a second of selecting, four of training.
    assert (row.scoring_seconds, row.selecting_seconds, row.training_seconds) == (7, 0.5, 4)
    assert row.seconds == 11.5
    assert (row.examples_ratio, row.flops_ratio, row.seconds_ratio) == (1.1, 0.64, 11.5 / 8)
    # A training saves 25,000 operations, so that the first one pays for 7,000, and 4 seconds, so
    # that the second one pays for 7.5.
    assert (row.pays_after, row.pays, row.pays_by) == (1, "after", "FLOPs")
    assert (row.pays_after_seconds, row.pays_seconds) == (2, "after")
    # Random pruning is charged no scoring.
    row = ledger["random", 0.5]
    assert (row.scoring_examples, row.examples, row.flops_ratio) == (0, 2500, 0.5)
    assert (row.pays_after, row.pays_after_seconds) == (0, 1)
    row = ledger["full", 1.0]
    assert (row.examples_ratio, row.pays_after, row.pays, row.pays_by) == (1, None, "", "")


def test_without_operations_the_examples_tell_the_payback(tmp_path):
    write_scores(tmp_path, COST)
    write(tmp_path, None, 1.0, flops=None)
    write(tmp_path, EL2N, flops=None)
    row = ledger_of(tmp_path)["el2n-hardest", 0.5]
    assert (row.flops, row.flops_ratio) == (None, None)
    # 3,000 examples, 2,500 of which a training saves.
    assert (row.pays_after, row.pays, row.pays_by) == (2, "after", "examples")
    assert "FLOPs are unknown" in sentences(tmp_path)


@pytest.mark.parametrize(
    ("config", "changes", "pays"),
    [
        (STEPS, {}, "never"),
        (EPOCHS, {"flops": 50000, "seconds": 8.0}, "never"),
        (EPOCHS, {"flops": None, "examples_seen": None}, "unknown"),
    ],
)
def test_scoring_that_does_not_pay(config, changes, pays, tmp_path):
    write_scores(tmp_path, COST)
    write(tmp_path, None, 1.0, config=config)
    write(tmp_path, EL2N, config=config, **changes)
    row = ledger_of(tmp_path)["el2n-hardest", 0.5]
    assert (row.pays_after, row.pays) == (None, pays)
    assert ("training.budget=steps" in sentences(tmp_path)) == (config is STEPS)


def test_a_pilot_is_a_part_of_selecting(tmp_path):
    write_scores(tmp_path, COST)
    write(tmp_path, None, 1.0)
    cost = {"runs": 10, "seconds": 2.0, "flops": 100, **PROBE}
    auto = {"policy": "easiest", "cost": cost, "request": {"by": "el2n", "policy": "auto"}}
    chosen = {"by": None, "policy": "random", "quota": None, "auto": auto}
    for seed in range(2):
        selection = {**chosen, "keep_fraction": 0.5, "seed": seed}
        changes = {"selection": selection, "config": EPOCHS, "selecting_seconds": 0.5}
        write_run(tmp_path / "auto", 0.9, seed=seed, **changes)
    row = ledger_of(tmp_path)["el2n-auto", 0.5]
    # A pilot reads the scores even if it then takes random.
    assert (row.scoring_examples, row.selecting_examples, row.selecting_flops) == (3000, 1500, 100)
    assert (row.selecting_seconds, row.pilot) == (2.5, "random")
    assert "Pilot of el2n-auto at 50 %: 1,500 examples through models (0.3 × one" in (
        sentences(tmp_path)
    )


def test_results_of_earlier_versions(tmp_path):
    """They know seconds only, and the examples of training."""
    write_scores(tmp_path, {"seconds": 9.0, "probes": [{"seconds": 7.0, "examples_seen": 1000}]})
    for method, keep_fraction in ((None, 1.0), (EL2N, 0.5)):
        write_run(tmp_path, 0.9, method, keep_fraction, seconds=4.0)
    row = ledger_of(tmp_path)["el2n-hardest", 0.5]
    assert (row.examples, row.flops, row.scoring_examples, row.pays_by) == (None, None, None, "")
    assert (row.training_examples, row.seconds, row.seconds_ratio) == (5000, 11.0, 2.75)
    assert row.selecting_seconds is None
    text = sentences(tmp_path)
    assert (
        "Scoring, with the training of 1 probe: 7.0 s (1.8 × one training on the full data)."
        in text
    )
    assert "without those of selecting" in text


def test_scores_without_a_recorded_cost_are_unknown(tmp_path):
    write(tmp_path, None, 1.0)
    write(tmp_path, EL2N)
    row = ledger_of(tmp_path)["el2n-hardest", 0.5]
    assert (row.scoring_seconds, row.seconds, row.pays) == (None, None, "unknown")
    assert row.training_seconds == 4


@pytest.mark.parametrize(
    ("cost", "metadata", "text"),
    [
        (
            COST,
            {},
            "Scoring, with the training of 2 probes: 3,000 examples through models (0.6 × one",
        ),
        (
            {"seconds": 4.0, "probes": []},
            {},
            "with checkpoints, without their training: 4.0 s (0.5 × one training on the full",
        ),
        (COST, {"extrapolation": {"fraction": 0.3}}, "2 probes, on 30 % of the examples: 3,000"),
    ],
)
def test_the_scores_of_the_doctor_do_not_count(cost, metadata, text, tmp_path):
    """Theirs are of wrong labels."""
    write(tmp_path, None, 1.0)
    write_scores(tmp_path, cost, **metadata)
    write_scores(tmp_path / "doctor" / "noise-0.10", {"seconds": 99.0, "probes": []})
    assert len(comparison_of(tmp_path).scorings) == 1
    assert text in sentences(tmp_path)


def test_each_run_is_charged_the_scores_above_it(tmp_path):
    write(tmp_path / "a", None, 1.0, seeds=1)
    write(tmp_path / "a", EL2N)
    write_scores(tmp_path / "a", COST)
    write_scores(tmp_path / "b", {**COST, "flops": 1})
    assert ledger_of(tmp_path)["el2n-hardest", 0.5].scoring_flops == 7000
    # Elsewhere, one of two cannot be told from the other.
    write(tmp_path / "c", EL2N, 0.25)
    assert ledger_of(tmp_path)["el2n-hardest", 0.25].scoring_flops is None


@pytest.mark.parametrize(
    "cost", [{"seconds": "long"}, {"seconds": -1}, {"flops": [1]}, {"probes": [{"seconds": True}]}]
)
def test_a_damaged_cost_is_an_error(cost, tmp_path):
    write(tmp_path, None, 1.0)
    write_scores(tmp_path, cost)
    with pytest.raises(InputError, match="Invalid cost in .*scoring.json"):
        write_comparison(tmp_path)


def test_a_sum_with_an_unknown_part_is_unknown():
    assert Cost(1, None, 2.0) + Cost(3, 4, 5.0) == Cost(4, None, 7.0)
    assert mean_cost([Cost(1, 2, None), Cost(3, 4, 5.0)]) == Cost(2, 3, None)


def test_the_smallest_subset_that_keeps_full_accuracy(tmp_path):
    for seed, noise in enumerate([0, 0.001, 0.002]):
        write_run(tmp_path, 0.9 + noise, None, seed=seed)
        for keep_fraction, accuracy in ((0.7, 0.9), (0.5, 0.901), (0.3, 0.8)):
            write_run(tmp_path, accuracy + noise, EL2N, keep_fraction, seed)
        write_run(tmp_path, 0.8 + noise, RANDOM, 0.7, seed)
    assert comparison_of(tmp_path).smallest == {(1.0, "el2n-hardest"): 0.5}
    assert "keep full accuracy: el2n-hardest 50 %, no other method." in sentences(tmp_path)


def test_the_table_fits_a_terminal(tmp_path):
    write_scores(tmp_path, COST)
    write(tmp_path, None, 1.0)
    write(tmp_path, {**EL2N, "by": "prediction_depth", "quota": "balanced"})
    table = as_table(write_comparison(tmp_path).ledger)
    from rich.console import Console

    console = Console(width=108, record=True, file=io.StringIO())
    console.print(table)
    text = console.export_text()
    assert "prediction_depth-hardest-balanced" in text
    header = (tmp_path / "comparison" / "ledger.csv").read_text().splitlines()[0]
    assert header.startswith("data_fraction,keep_fraction,method,examples,flops,seconds,")


def test_the_search_for_the_smallest_subset_stops_at_a_failure(tmp_path):
    """0.1 keeps the accuracy too, but 0.3 is not shown to."""
    for seed, noise in enumerate((0.0, 0.0005, 0.001)):
        write_run(tmp_path, 0.9 + noise, seed=seed)
        for keep_fraction, loss in ((0.5, 0.0), (0.3, 0.01), (0.1, 0.0)):
            write_run(tmp_path, 0.9 + noise - loss, EL2N, keep_fraction, seed)
    assert comparison_of(tmp_path).smallest == {(1.0, "el2n-hardest"): 0.5}
