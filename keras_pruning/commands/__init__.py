"""Commands of the command line: one file each, and the registry below.

A command has `HELP`, `add_arguments(parser)` and `run(values)`, a generator of lines and tables
for the terminal. Its file imports whatever loads Keras or TensorBoard inside `run` only, so that
`--help` stays fast.
"""

from keras_pruning.commands import (
    cache,
    compare,
    doctor,
    duplicates,
    export,
    import_scores,
    prune,
    score,
    sweep,
    train,
)

COMMANDS = {
    "score": score,
    "import": import_scores,
    "prune": prune,
    "export": export,
    "train": train,
    "sweep": sweep,
    "doctor": doctor,
    "duplicates": duplicates,
    "compare": compare,
    "cache": cache,
}
