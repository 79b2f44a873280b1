"""Work in fresh processes."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import time
from keras_pruning import InputError
from keras_pruning.jobs.local import run_each

def work(number):
    time.sleep(0.5 * number)
    raise InputError(f"wrong in {number}")

if __name__ == "__main__":
    try:
        list(run_each(work, [{"number": number} for number in range(6)], 2, 1, "work"))
    except InputError as error:
        print(error)
"""


@pytest.mark.slow
def test_an_error_in_one_of_two_jobs_ends_them_all(tmp_path):
    """Not only the generator: the interpreter, which waits for the processes of both."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = Path(__file__).parents[2]
    finished = subprocess.run(
        [sys.executable, script],
        env={"PYTHONPATH": str(root), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert finished.stdout == "wrong in 0\n"
    assert finished.stderr == ""


WARNING = """
import warnings
from keras_pruning.jobs.local import run_each

def work(number):
    warnings.warn("The column is constant.")
    return number

if __name__ == "__main__":
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        print(sorted(run_each(work, [{"number": number} for number in range(3)], 1, 1, "work")))
    print([(str(warning.message), warning.category.__name__) for warning in caught])
"""


@pytest.mark.slow
def test_warnings_of_children_are_given_once_by_the_parent(tmp_path):
    (tmp_path / "script.py").write_text(WARNING)
    finished = subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    warning = "[('The column is constant.', 'UserWarning')]"
    assert finished.stdout == f"[0, 1, 2]\n{warning}\n"
    assert finished.stderr == ""
