"""`export`: writes the examples of a subset as files for other programs."""

import dataclasses
import os
from typing import Literal

from keras_pruning.backend.startup import require_tensorflow
from keras_pruning.commands.parser import ConfigFile
from keras_pruning.config import Config, DatasetConfig
from keras_pruning.examples.exports import EXPORTS, export, require_format
from keras_pruning.examples.reopened import reopened
from keras_pruning.examples.splits import Splits
from keras_pruning.selection import Subset
from keras_pruning.storage import require_writable

HELP = "Write the examples of a subset as files for other programs."


def add_arguments(parser):
    """Adds the options of the command."""
    parser.add_argument("--subset", type=str, required=True, help="subset file of `prune`")
    parser.add_argument("--format", type=str, required=True, help=", ".join(EXPORTS))
    parser.add_argument(
        "--link",
        type=Literal["symbolic", "hard"] | None,
        nargs="?",
        const="symbolic",
        help="links the files of a folder: source in place of copies (default kind: symbolic)",
    )
    parser.add_argument("--output", type=str, required=True, help="folder to write")
    parser.add_argument(
        "--config",
        action=ConfigFile,
        help="YAML file that the examples were scored with; not needed for digits and tfds:",
    )
    parser.add_class_arguments(Config)


def run(values):
    """Writes the kept examples, or reuses the files that are there."""
    require_tensorflow()
    # Check the output before the examples are loaded.
    require_format(values.format, link=values.link)
    if not os.path.exists(values.output):
        require_writable(values.output)
    subset = Subset.load(values.subset)
    kept = _examples(subset, values.dataset, bool(values.config)).keep(subset)
    yield f"Kept {len(kept):,} of {len(subset.all_ids):,} examples."
    yield f"{export(kept, values.format, values.output, values.link)}"


def _examples(subset, dataset, has_config):
    """Returns the examples of a `DatasetConfig`, or those that the subset names if it has no name.

    Args:
        subset: `Subset`.
        dataset: `DatasetConfig`.
        has_config: whether it comes from a config file.
    """
    if not has_config and dataset == DatasetConfig(data_dir=dataset.data_dir):
        return reopened(subset.examples, dataset.data_dir)
    splits = Splits(**dataclasses.asdict(dataset))
    return splits.test if subset.examples.get("split") == "test" else splits.train
