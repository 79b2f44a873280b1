"""What must be the same in the folders of two runs of a command, and what must not be left."""

import csv
import hashlib
import json
import re
from pathlib import Path

# Numbers that depend on the load of the machine. The digest is of the whole file.
_VARYING = ("seconds", "selecting_seconds", "digest")
_LEFTOVERS = ("*.claim", "*.partial", "*.unfinished.npz", "probes")


def contents(folder):
    """Returns a dictionary from the files of results to their content, hashed if it is binary.

    Event files, whose names have the time, count by their folder.
    """
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        name = re.sub(r"(tfevents).*", r"\1", str(path.relative_to(folder)))
        found[name] = None
        if path.name == "metrics.json":
            content = json.loads(path.read_text())
            found[name] = {key: content[key] for key in content if key not in _VARYING}
        elif path.name in ("comparison.csv", "classes.csv"):
            rows = csv.DictReader(path.read_text().splitlines())
            found[name] = [{key: row[key] for key in row if key != "seconds"} for row in rows]
        elif path.suffix == ".parquet" or path.name == "scores.csv":
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def leftovers(folder):
    """Returns the files that no command should leave behind."""
    return [path for name in _LEFTOVERS for path in Path(folder).rglob(name)]
