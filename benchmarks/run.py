"""Runs every benchmark in a process of its own and writes one table of all of them.

python benchmarks/run.py [NAME ...] [--output FILE]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rows
import table

# A benchmark is a module here that ends in `rows.main(measure)`.
BENCHMARKS = (
    "training_step",
    "recording",
    "dynamic",
    "passes",
    "grand",
    "where_time_goes",
    "image_folder",
    "memory",
    "tdds",
    "all_scores",
    "knn",
    "duplicates",
    "million",
    "ten_million",
    "depth",
    "kept",
    "embedding_policies",
    "verdicts",
    "datagnosis_peer",
    "workers",
    "plan",
)


def rows_of(name, folder):
    """Runs one benchmark and returns its rows and whether it ended without an error."""
    file = folder / f"{name}.jsonl"
    file.touch()
    script = Path(__file__).with_name(f"{name}.py")
    # TensorFlow leaves temporary files behind. They are removed with the folder.
    environment = {**os.environ, "TMPDIR": f"{folder}"}
    command = [sys.executable, script, "--rows", file]
    ended = subprocess.run(command, env=environment).returncode == 0
    return rows.read(file), ended


def main():
    parser = argparse.ArgumentParser(description="Runs all benchmarks into one table.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--output", type=Path, default="runs/benchmarks.md")
    arguments = parser.parse_args()
    found, failed, start, load = {}, [], time.monotonic(), os.getloadavg()[0]
    names = arguments.names or BENCHMARKS
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(names, start=1):
            minutes = (time.monotonic() - start) / 60
            rows.say(f"{number}/{len(names)} {name}.py, after {minutes:.1f} minutes")
            found[f"{name}.py"], ended = rows_of(name, Path(folder))
            failed += [] if ended else [name]
    table.show(found)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(table.markdown(found, load))
    rows.say(f"{arguments.output}, {(time.monotonic() - start) / 60:.1f} minutes")
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
