"""A run of a sweep that fails is reported and does not take the others down."""

import pytest
from support.fake_runs import pretend_to_train
from support.new_policies import table
from support.small import run

from keras_pruning import InputError
from keras_pruning.comparison import sweep

CONFIG = """
dataset: {name: digits, fraction: 0.1}
model: {name: mlp, width: 8}
scores: [el2n]
sweep: {methods: [el2n], keep_fractions: [0.5], seeds: 2}
"""


@pytest.fixture
def swept(tmp_path, monkeypatch, capsys, caplog):
    """Returns the exit code, output and log of a sweep in which some runs raise an error."""
    (tmp_path / "c.yaml").write_text(CONFIG)
    monkeypatch.setattr(sweep, "score", lambda plan, folder: table(plan.data.all))

    def sweep_with(errors):
        def run_all(runs, failed):
            for single in runs:
                name = str(single.folder.relative_to(tmp_path / "out"))
                if name in errors:
                    failed(single, errors[name])
                else:
                    yield from pretend_to_train([single])

        caplog.clear()
        monkeypatch.setattr(sweep, "run_all", run_all)
        arguments = ["--config", tmp_path / "c.yaml", "--output", tmp_path / "out"]
        with caplog.at_level("INFO", "keras_pruning"):
            code = run("sweep", *arguments)
        return code, capsys.readouterr(), caplog.text

    return sweep_with


def test_the_others_are_trained_and_compared(swept):
    name = "el2n-hardest/keep-0.50/seed-1"
    code, shown, log = swept({name: InputError("The disk is full.")})
    assert code == 2
    assert f"Run {name} failed: The disk is full." in log
    assert "el2n-hardest" in shown.out and "comparison.csv" in shown.out
    assert "One training run failed, and the comparison does without. Expected" in shown.err
    # The next call trains what is missing.
    assert swept({})[0] == 0


def test_an_error_of_the_model_shows_its_traceback_once(swept):
    error = ZeroDivisionError("in the model")
    names = [f"random/keep-0.50/seed-{seed}" for seed in (0, 1)]
    code, shown, log = swept(dict.fromkeys(names, error))
    assert code == 2
    assert log.count("failed: ZeroDivisionError: in the model") == 2
    assert log.count("ZeroDivisionError: in the model") == 3
    assert "2 training runs failed" in shown.err


def test_a_method_that_always_fails_does_not_end_the_next_call(swept):
    names = [f"el2n-hardest/keep-0.50/seed-{seed}" for seed in (0, 1)]
    names += ["random/keep-0.50/seed-1"]
    errors = dict.fromkeys(names, InputError("The batch is too large."))
    for _ in range(2):
        code, shown, _ = swept(errors)
        assert code == 2
        assert "3 training runs failed, and the comparison does without" in shown.err


def test_three_failures_before_a_success_end_the_sweep(swept, tmp_path):
    names = ["full/keep-1.00/seed-0", "random/keep-0.50/seed-0", "el2n-hardest/keep-0.50/seed-0"]
    code, shown, log = swept(dict.fromkeys(names, InputError("The batch is too large.")))
    assert code == 2
    assert "The first 3 training runs failed, the last with: The batch is too large." in shown.err
    assert log.count("failed: The batch") == 3
    assert not (tmp_path / "out" / "comparison").exists()
