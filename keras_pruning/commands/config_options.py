"""Options that commands with a config share."""

import dataclasses
from pathlib import Path

from jsonargparse import Namespace

from keras_pruning.backend.startup import require_tensorflow
from keras_pruning.commands.config_files import ConfigFile
from keras_pruning.config import Config
from keras_pruning.errors import InputError


def add_config(parser, default="runs/CONFIG NAME"):
    """Adds `--config`, every key of the config and `--output`.

    Args:
        parser: parser of the command.
        default: folder of the results if `--output` is not given, for the help.
    """
    parser.add_argument("--config", action=ConfigFile, help="YAML file; see configs/")
    parser.add_class_arguments(Config)
    parser.add_argument(
        "--output", type=str | None, help=f"folder of the results (default: {default})"
    )


def require_sections(values):
    """Raises an `InputError` if a section of the config has another value in the place of keys.

    Args:
        values: namespace of a command, as it was parsed. Some commands have no config.
    """
    for section in dataclasses.fields(Config):
        value = values.get(section.name)
        if dataclasses.is_dataclass(section.type) and not isinstance(value, Namespace | None):
            keys = ", ".join(field.name for field in dataclasses.fields(section.type))
            raise InputError(
                f"Invalid `{section.name}`. Expected a section with some of the keys {keys}. "
                f"Received: {value!r}"
            )


def config_and_output(values):
    """Returns the `Config` and the folder of the results, `runs/<config name>` by default."""
    require_tensorflow()
    fields = [field.name for field in dataclasses.fields(Config)]
    config = Config(**{name: values[name] for name in fields})
    name = Path(str(values.config[-1])).stem if values.config else "default"
    return config, Path(values.output or Path("runs") / name)
