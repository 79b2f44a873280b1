"""Files from which work goes on that was killed, read without Keras."""

import json
import zipfile

import numpy as np

IDENTITY = "identity"
# Errors of a file that is damaged or of another kind
DAMAGED = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile)


def read_identity(path):
    """Returns the dictionary that identifies the work of a file, `None` if nothing tells it."""
    try:
        # NumPy leaves a damaged file open that it has opened itself
        with open(path, "rb") as opened, np.load(opened) as file:
            return json.loads(str(file[IDENTITY]))
    except DAMAGED:
        return None
