"""Checks of the content of a `metrics.json`, which another program may have written."""

import numbers

from keras_pruning.errors import InputError
from keras_pruning.selection.methods import dynamic_entry
from keras_pruning.selection.subset import require_selection

# Numbers that earlier versions leave out. `null` stands for an unknown one.
_OPTIONAL = ("examples_seen", "flops", "selecting_seconds", "steps")
# Numbers that a comparison reads, and the highest value of each.
_NUMBERS = {
    "test_accuracy": 1,
    "test_loss": None,
    "seconds": 1e12,
    "examples_kept": 1e12,
    "seed": None,
}


def require_metrics(metrics):
    """Raises an `InputError` unless all entries that a comparison reads have their types."""
    missing = {*_NUMBERS, "class_accuracy", "selection", "config"} - metrics.keys()
    if missing:
        raise InputError(f"Expected the entries {sorted(missing)}. Received: {list(metrics)[:20]}")
    for name, highest in _NUMBERS.items():
        if not _is_number(metrics[name], highest):
            raise _invalid(
                name, metrics[name], "a number" + (f" in [0, {highest:g}]" if highest else "")
            )
    for name in ("examples_kept", "seed"):
        if not isinstance(metrics[name], int):
            raise _invalid(name, metrics[name], "an integer")
    for name in _OPTIONAL:
        if metrics.get(name) is not None and not _is_number(metrics[name], 1e30):
            raise _invalid(name, metrics[name], "a number of at least 0, or null")
    by_class = metrics["class_accuracy"]
    if not isinstance(by_class, list) or all(accuracy is None for accuracy in by_class):
        raise _invalid("class_accuracy", by_class, "a list with a number for some class")
    for accuracy in by_class:
        if accuracy is not None and not _is_number(accuracy, 1):
            raise _invalid("class_accuracy", accuracy, "numbers in [0, 1] or null")
    counts = metrics.get("class_examples", [])
    if not isinstance(counts, list) or not all(_is_number(count, 1e12) for count in counts):
        raise _invalid("class_examples", counts, "a list of numbers")
    if counts and len(counts) != len(by_class):
        raise _invalid("class_examples", counts, f"a number for each of {len(by_class)} classes")
    if metrics["selection"] is not None:
        require_selection(metrics["selection"])
    config = metrics["config"]
    for name in ("dataset", "model", "training"):
        if not isinstance(config, dict) or not isinstance(config.get(name), dict):
            raise _invalid(f"config.{name}", config, "a dictionary")
    if config["training"].get("dynamic") is not None:
        _require_dynamic(metrics)


def _require_dynamic(metrics):
    """Raises an `InputError` unless a run that prunes while training has the logs of its epochs."""
    dynamic_entry(metrics["config"]["training"]["dynamic"])
    epochs = metrics["config"]["training"].get("epochs")
    if not _is_number(epochs, 1e12) or epochs < 1 or metrics["examples_kept"] < 1:
        raise _invalid("config.training.epochs", epochs, "a number of epochs, of some examples")
    for name in ("examples_seen", "steps"):
        if metrics.get(name) is None:
            raise _invalid(name, None, "a number")
    logs, classes = metrics.get("epochs"), len(metrics["class_accuracy"])
    for log in logs if isinstance(logs, list) and logs else [None]:
        kept = log.get("class_kept") if isinstance(log, dict) else None
        is_valid = isinstance(kept, list) and len(kept) == classes and _is_number(log["kept"], 1e12)
        if not is_valid or not all(_is_number(count, 1e12) for count in kept):
            raise _invalid("epochs", logs, f"the kept examples of {classes} classes in each epoch")


def _is_number(value, highest):
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return is_number and (highest is None or 0 <= value <= highest)


def _invalid(name, value, expected):
    return InputError(f"Invalid `{name}`. Expected {expected}. Received: {repr(value)[:80]}")
