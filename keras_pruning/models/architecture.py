"""The architecture of an own model as built, for recipes. `as_built` runs in a child process."""

import os

from keras_pruning.jobs.local import run_each


def architecture(model, spec, num_classes, threads):
    """Returns a hash of a model of the user's own as its function builds it.

    The model is built in a child process. Its sources alone do not show all that it depends on:
    files of settings or of pretrained weights, environment variables, installed packages.

    Args:
        model: `ModelConfig`.
        spec: `ArraySpec` of the examples, or a dictionary or tuple of them.
        num_classes: number of classes.
        threads: number of CPU threads of the child.

    Returns:
        32 hexadecimal digits, or `None` for a model of this package or of a `.keras` file.

    Raises:
        InputError: if the model cannot be built.
    """
    if ":" not in model.name or model.name.endswith(".keras"):
        return None
    call = {
        "name": model.name,
        "spec": spec,
        "num_classes": num_classes,
        "options": model.options,
        "folder": os.getcwd(),
    }
    (digest,) = run_each("keras_pruning.models.as_built:digest", [call], 1, threads, "model")
    return digest
