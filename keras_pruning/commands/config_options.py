"""Options that commands with a config share."""

import dataclasses
from pathlib import Path

from keras_pruning.backend.startup import require_tensorflow
from keras_pruning.config import Config


def add_config(parser, default="runs/CONFIG NAME"):
    """Adds `--config`, every key of the config and `--output`.

    Args:
        parser: parser of the command.
        default: folder of the results if `--output` is not given, for the help.
    """
    parser.add_argument("--config", action="config", help="YAML file; see configs/")
    parser.add_class_arguments(Config)
    parser.add_argument(
        "--output", type=str | None, help=f"folder of the results (default: {default})"
    )


def config_and_output(values):
    """Returns the `Config` and the folder of the results, `runs/<config name>` by default."""
    require_tensorflow()
    fields = [field.name for field in dataclasses.fields(Config)]
    config = Config(**{name: values[name] for name in fields})
    name = Path(str(values.config[-1])).stem if values.config else "default"
    return config, Path(values.output or Path("runs") / name)
