"""The runs of a sweep before it begins, counted by hand."""

import pytest

import keras_pruning as kp
from keras_pruning.comparison.sweep import SweepPlan
from keras_pruning.config import Config, DatasetConfig, SweepConfig, TrainingConfig
from keras_pruning.preflight import runs
from keras_pruning.preflight.expected_shares import expected_share
from keras_pruning.preflight.runs import PlannedRun
from keras_pruning.training.steps import examples_in


def plan(methods, budget="steps", **options):
    sweep = SweepConfig(methods=methods, seeds=2, baseline_seeds=3, **options)
    training = TrainingConfig(epochs=6, batch_size=32, budget=budget)
    return SweepPlan.from_config(
        Config(DatasetConfig("digits", fraction=0.2), training=training, sweep=sweep)
    )


def counts(planned):
    """Number of the runs of each kind and number of examples kept."""
    kinds = [(run.what, run.kept) for run in planned]
    return {kind: kinds.count(kind) for kind in kinds}


def test_runs_of_static_methods():
    methods = ["el2n", {"by": "vog", "policy": "easiest", "quota": "balanced"}]
    swept = plan(methods, keep_fractions=[1.0, 0.5, 0.2])
    planned = runs.static_counts(swept, swept.parts[0][1])
    # 287 examples. Random pruning with and without quota, three seeds each.
    assert counts(planned) == {
        (runs.FULL, 287): 2,
        (runs.RANDOM, 144): 6,
        (runs.RANDOM, 57): 6,
        (runs.METHODS, 144): 4,
        (runs.METHODS, 57): 4,
    }
    assert {(run.epochs, run.whole, run.is_finished) for run in planned} == {(6, 287, False)}


def test_a_budget_of_epochs_trains_on_fewer_examples():
    swept = plan(["el2n"], "epochs", keep_fractions=[0.5])
    *_, run = runs.static_counts(swept, swept.parts[0][1])
    assert (run.kept, run.whole, run.seen(32), run.epoch_examples(32)) == (144, None, 864, 144)


@pytest.mark.parametrize("kept", [287, 144, 57, 31])
def test_a_budget_of_steps_counts_repeats(kept):
    run = PlannedRun("", kept, 6, whole=287)
    # Nine steps of the full data in each epoch
    assert run.seen(32) == examples_in(54, kept, 32)
    assert run.epoch_examples(32) == examples_in(9, kept, 32)


def test_a_pilot_trains_every_policy_on_each_split():
    auto = {"name": "auto", "seeds": 3, "length": 0.5}
    swept = plan([{"by": "el2n", "policy": auto}], keep_fractions=[0.5])
    done = []

    def is_done(method, fraction):
        done.append((method["by"], fraction))
        return False

    planned = runs.pilot_counts(swept, swept.parts[0][1], is_done)
    # 57 of 287 are held out. Half of the other 230 train for half of the epochs.
    assert planned == [PlannedRun(runs.PILOTS, 115, 3, False, 230, 57, 5)] * 3
    assert done == [("el2n", 0.5)]
    assert planned[0].seen(32) == 5 * examples_in(3 * 8, 115, 32)


def test_shares_of_dynamic_methods():
    examples = kp.load_examples("digits", fraction=0.2)
    share = lambda **entry: expected_share(entry, examples, 20)  # noqa: E731
    assert share(name="rs2", f=0.3) == pytest.approx(0.3, abs=0.002)
    assert share(name="shortened", f=0.33) == pytest.approx(0.33, abs=0.002)
    # Half of those below the mean loss rest, but in the first and in the last epochs
    assert 0.6 < share(name="infobatch") < 0.8
    assert share(name="infobatch", r=0.0) == 1.0
