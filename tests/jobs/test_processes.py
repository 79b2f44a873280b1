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
