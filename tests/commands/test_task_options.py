"""The options that say which of several tasks a command is."""

from argparse import Namespace

import pytest
from support.small import run

from keras_pruning.commands.task_options import tasks_of
from keras_pruning.errors import InputError
from keras_pruning.jobs.tasks import ALONE, Tasks


def tasks(index=None, number=None, **environment):
    return tasks_of(Namespace(task_index=index, num_tasks=number), environment)


def test_options_come_before_variables():
    assert tasks(1, 4) == Tasks(1, 4)
    assert tasks(1, 4, JOB_COMPLETION_INDEX="3") == Tasks(1, 4)


def test_variables_give_the_index():
    assert tasks(None, 4, JOB_COMPLETION_INDEX="3") == Tasks(3, 4)
    assert tasks(None, 4, SLURM_ARRAY_TASK_ID="3") == Tasks(3, 4)
    assert tasks(None, 4, SLURM_ARRAY_TASK_ID="3", SLURM_ARRAY_TASK_MIN="1") == Tasks(2, 4)
    # --array=2 alone, to start one task again
    assert tasks(None, 4, SLURM_ARRAY_TASK_ID="2", SLURM_ARRAY_TASK_MIN="2") == Tasks(0, 4)


def test_without_options_a_command_runs_alone():
    assert tasks() == ALONE
    assert tasks(SLURM_ARRAY_TASK_ID="3", JOB_COMPLETION_INDEX="3") == ALONE


@pytest.mark.parametrize(
    ("given", "environment", "message"),
    [
        ((1, None), {}, "Expected --num-tasks beside it. Received: --task-index 1"),
        ((None, 2), {}, "Expected --task-index beside it, .* Received: none"),
        ((None, 2), {"JOB_COMPLETION_INDEX": ""}, "Received: none"),
        ((None, 2), {"JOB_COMPLETION_INDEX": "x"}, "Expected an integer. Received: 'x'"),
        ((None, 2), {"JOB_COMPLETION_INDEX": "2"}, "JOB_COMPLETION_INDEX.*from 0 to 1.*: 2"),
        (
            (None, 8),
            {"SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_MIN": "1"},
            "SLURM_ARRAY_TASK_ID.*from 1 to 8 for 8 tasks. Received: 9",
        ),
        ((2, 2), {}, "from 0 to .* that is 1. Received: 2"),
        (
            (None, 2),
            {"JOB_COMPLETION_INDEX": "0", "SLURM_ARRAY_TASK_ID": "0"},
            "Several variables say it. Expected --task-index beside it",
        ),
    ],
)
def test_an_unclear_task_is_refused(given, environment, message):
    with pytest.raises(InputError, match=message):
        tasks(*given, **environment)


@pytest.mark.parametrize("command", ["score", "sweep"])
def test_mistakes_come_before_any_work(command, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SLURM_ARRAY_TASK_ID", raising=False)
    monkeypatch.delenv("JOB_COMPLETION_INDEX", raising=False)
    output = ["--output", tmp_path / "out"]
    for wrong in (["--num-tasks", 2], ["--num-tasks", 0, "--task-index", 0]):
        assert run(command, *wrong, *output) == 2
    shown = capsys.readouterr()
    assert shown.err.count("error: ") == 2 and shown.out == ""
    assert not (tmp_path / "out").exists()


def test_other_commands_have_no_tasks(capsys):
    with pytest.raises(SystemExit):
        run("train", "--num-tasks", 2)
    assert "Unknown option --num-tasks" in capsys.readouterr().err
