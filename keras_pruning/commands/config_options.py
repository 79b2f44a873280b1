"""Options that commands with a config share."""

import dataclasses
import logging
from pathlib import Path

from keras_pruning.backend.startup import require_tensorflow
from keras_pruning.commands.parser import ConfigFile
from keras_pruning.config import Config

logger = logging.getLogger("keras_pruning")


def add_config(parser, default="runs/CONFIG NAME", contents="the results"):
    """Adds `--config`, every key of the config and `--output`.

    Args:
        parser: parser of the command.
        default: folder of the results if `--output` is not given, for the help.
        contents: noun for the content of that folder, for the help.
    """
    parser.add_argument("--config", action=ConfigFile, help="YAML file; see configs/")
    parser.add_class_arguments(Config)
    parser.add_argument(
        "--output", type=str | None, help=f"folder of {contents} (default: {default})"
    )


def config_and_output(values):
    """Returns the `Config` and the folder of the results, `runs/<config name>` by default."""
    require_tensorflow()
    fields = [field.name for field in dataclasses.fields(Config)]
    config = Config(**{name: values[name] for name in fields})
    name = Path(str(values.config[-1])).stem if values.config else "default"
    output = Path(values.output or Path("runs") / name)
    # Said, because a forgotten --config would train for minutes on other data
    if not values.config:
        logger.info(
            "No --config: the defaults are used, with data set %s and model %s, output %s.",
            config.dataset.name,
            config.model.name,
            output,
        )
    return config, output
