"""Commands that must fail, and data of any shape to make them fail."""

import numpy as np

from support.small import run


def fails(capsys, tmp_path, *arguments):
    """The one message of a command that must exit with 2 and leave nothing behind."""
    before = sorted(tmp_path.rglob("*"))
    try:
        code = run(*arguments)
    except SystemExit as error:
        code = error.code
    message = capsys.readouterr().err
    assert code == 2
    assert message.startswith("error: ")
    assert message.count("error:") == 1
    assert "Traceback" not in message
    assert sorted(tmp_path.rglob("*")) == before
    return message


def npz(path, **changes):
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.random((40, 6, 6, 1), dtype="float32"),
        "y_train": np.arange(40) % 3,
        "x_test": rng.random((9, 6, 6, 1), dtype="float32"),
        "y_test": np.arange(9) % 3,
    }
    np.savez(path, **{**arrays, **changes})
    return f"npz:{path}"
