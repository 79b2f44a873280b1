"""Recipes: everything that a result depends on, and the comparison of two recipes."""

import hashlib
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from keras_pruning import __version__
from keras_pruning.backend.startup import device, keras_settings
from keras_pruning.errors import InputError
from keras_pruning.own_sources import digest_of, module_digests

# Packages whose versions are part of every recipe.
PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "numpy", "scikit-learn", "tensorflow-datasets")

# Environment variables that change bits, or shorten a fit, and are recorded if they are set.
SWITCHES = (
    "CUDA_FORCE_PTX_JIT",
    "DNNL_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "KERAS_MAX_EPOCHS",
    "KERAS_MAX_STEPS_PER_EPOCH",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
    "TF_CUDNN_DETERMINISTIC",
    "TF_CUDNN_USE_AUTOTUNE",
    "TF_DETERMINISTIC_OPS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
)

# Keys of the config that the recorded `examples` replace in a recipe, each with the reason.
EXAMPLES_SAY = {
    "dataset.name": "`examples.source` and the fingerprint, which do not depend on the folder",
    "dataset.data_dir": "the fingerprint, which does not depend on the folder",
    "dataset.image_size": "`examples.inputs` is a hash of the resized images",
    "dataset.scale": "`examples.scale`",
    "dataset.test_fraction": "the fingerprint, a hash of the ids of the drawn examples",
    "dataset.label_column": "the fingerprint, a hash of the labels",
    "dataset.id_column": "the fingerprint, a hash of the ids",
    "dataset.split_column": "the fingerprint, a hash of the ids of the split",
    "dataset.input_columns": "`examples.inputs` is a hash of the columns",
    "dataset.image_column": "`examples.inputs` is a hash of the images",
    "dataset.skip_broken": "the fingerprint, a hash of the ids of the files that are read",
    "dataset.train_split": "the fingerprint, a hash of the ids of the split",
    "dataset.test_split": "the fingerprint, a hash of the ids of the split",
    "dataset.fraction": "`examples.fraction`",
    "dataset.seed": "`examples.seed` and `examples.label_noise_seed`",
    "dataset.label_noise": "`examples.label_noise`",
}

# TensorFlow uses oneDNN, which rounds otherwise, by default only there.
_ON_X86 = platform.machine() in ("x86_64", "AMD64")

# Values of keys that files of earlier versions leave out. Any other missing key was `None`.
OLDER_FILES = {
    "examples.label_noise": 0.0,
    "examples.label_noise_seed": 0,
    "support.label_noise": 0.0,
    "support.label_noise_seed": 0,
    "test_examples.label_noise": 0.0,
    "test_examples.label_noise_seed": 0,
    "dataset.label_noise": 0.0,
    "selection.policy_options": {},
    "selection.quota_options": {},
    "selection.extrapolated": False,
    "dataset": {},
    "probe": {},
    "probe.fraction": 1.0,
    "probe.scoring_batch_size": 256,
    "sweep": {},
    "embeddings": [],
    "environment": {},
    "environment.floatx": "float32",
    "environment.epsilon": 1e-7,
    "environment.image_data_format": "channels_last",
    "environment.device": f"CPU {platform.machine()}",
    "environment.onednn": _ON_X86,
    "environment.switches": {},
}


def settings(config, excluded):
    """Returns the config without the keys that cannot change a result.

    Every other key stays, so that a new option is part of every recipe.

    Args:
        config: the config as nested dictionaries.
        excluded: names of sections, and of keys as `section.key`, to leave out.
    """
    # An empty section says nothing, so it is left out too.
    kept = {}
    for section, values in config.items():
        if section in excluded:
            continue
        if isinstance(values, dict):
            values = {
                key: value for key, value in values.items() if f"{section}.{key}" not in excluded
            }
        if values != {}:
            kept[section] = values
    return kept


def completed(values, section):
    """Returns a section of a file, completed by the keys that earlier versions leave out.

    Args:
        values: dictionary that was read from the file.
        section: name of the section, for example `"examples"`.
    """
    left_out = {
        name.partition(".")[2]: value
        for name, value in OLDER_FILES.items()
        if name.startswith(f"{section}.")
    }
    return left_out | values


def versions():
    """Returns the versions of this package and of the packages that its numbers depend on."""
    installed = {"keras_pruning": __version__}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            continue
    return installed


def environment():
    """Returns the settings outside of the config that change the bits of a result.

    They are read as a child process will read them: from environment variables and from
    `keras.json`.
    """
    keras = keras_settings()
    return {
        **{name: keras[name] for name in ("floatx", "epsilon", "image_data_format")},
        "device": device(),
        "onednn": _uses_onednn(),
        "switches": {name: os.environ[name] for name in SWITCHES if os.environ.get(name)},
    }


def _uses_onednn():
    switch = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "").lower()
    return switch in ("1", "true") if switch in ("0", "false", "1", "true") else _ON_X86


def source_digest(model_name):
    """Returns a hash of the files that a model comes from, `None` for the models of this package.

    Args:
        model_name: `model.name` of the config: the name of a model of this package,
            `package.module:function` or the path of a `.keras` file. The files of a function are
            its module and all modules of the user's own that this module imports.
    """
    if model_name.endswith(".keras"):
        # `models.loading.build` reports a missing file.
        return file_digest(model_name) if Path(model_name).is_file() else None
    module, _, function = model_name.partition(":")
    digests = module_digests(module) if function else {}
    return digest_of(digests) if digests else None


def require_same_source(model_name, digest):
    """Raises an `InputError` if the file of a model has changed since its digest was recorded.

    Args:
        model_name: as for `source_digest`.
        digest: the digest in the recipe.
    """
    if source_digest(model_name) != digest:
        raise InputError(
            f"The file of the model {model_name!r} changed during the command. Expected the file "
            "that the recipe has recorded, and the modules that it imports. Received: another one. "
            "Run the command again."
        )


def file_digest(path):
    """Returns a hash of the bytes of a file, 32 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def as_json(value):
    """Returns `value` as JSON reads it back: tuples become lists, keys become strings."""
    return json.loads(json.dumps(value))


def require_same_recipe(path, recorded, requested):
    """Raises an `InputError` that names the differences between two recipes.

    Args:
        path: path of an existing result.
        recorded: recipe of that result, nested dictionaries.
        requested: recipe of the result that is about to be made.
    """
    recipes = as_json(recorded), as_json(requested)
    changes = list(_differences(*recipes))
    if changes:
        # Another order of the same scores has no other words.
        changes = list(_differences(*map(_in_words_of_the_config, recipes))) or changes
        lines = [f"{path} holds the result of another recipe. Nothing was overwritten."]
        lines += [
            f"  {key}: recorded {_short(before, now)}, requested {_short(now, before)}"
            for key, before, now in changes
        ]
        if any(key == "threads" for key, _, _ in changes):
            lines.append(
                "Jobs share the cores, and the last bits of a result depend on the threads of its "
                "job. Set `threads` beside `jobs` to go on with another number of jobs."
            )
        lines.append("Choose another --output, or remove that result yourself.")
        raise InputError("\n".join(lines))


def _in_words_of_the_config(recipe):
    """Returns a recipe with the keys `scores` and `probe.seeds` in place of the scores by seed.

    Args:
        recipe: recipe as it comes from JSON, or the metadata of a file with one. A recipe that this
            package has not written stays as it is.
    """
    if not isinstance(recipe, dict):
        return recipe
    # The metadata of a table or subset has the recipe as a section.
    if "recipe" in recipe:
        return {**recipe, "recipe": _in_words_of_the_config(recipe["recipe"])}
    words = dict(recipe)
    try:
        by_seed = words.pop("scores_of_each_seed")
        words["scores"] = _with_seeds(by_seed)
        words["probe"] = {**words["probe"], "seeds": sorted(map(int, by_seed))}
    except (AttributeError, KeyError, TypeError, ValueError):
        return recipe
    return words


def _with_seeds(by_seed):
    """Returns a dictionary from the name of each score to its options and the list of its seeds.

    Args:
        by_seed: dictionary from seeds to lists of the scores that a probe of this seed takes.
    """
    scores = {}
    for seed, entries in by_seed.items():
        for entry in entries:
            options = {key: value for key, value in entry.items() if key != "name"}
            score = scores.setdefault(entry["name"], {**options, "seeds": []})
            score["seeds"].append(int(seed))
    return scores


def differing(first, second):
    """Returns the keys, joined by dots, whose values differ between two nested dictionaries."""
    return [key for key, _, _ in _differences(as_json(first), as_json(second))]


def _differences(first, second, path=()):
    """Yields the key, joined by dots, and both values of each difference."""
    if isinstance(first, dict) and isinstance(second, dict):
        section = path[-1] if path else ""
        for key in [*first, *(key for key in second if key not in first)]:
            values = _value(first, section, key), _value(second, section, key)
            yield from _differences(*values, (*path, key))
    elif first != second:
        yield ".".join(path), first, second


def _value(values, section, key):
    """Returns the value of a key in a section, or the one that files of earlier versions mean."""
    # A recipe is a file of its own, or the section `recipe` of the metadata of a table.
    name = key if section in ("", "recipe") else f"{section}.{key}"
    return values.get(key, OLDER_FILES.get(name))


def _short(value, other):
    # A whole score or section that one of the two recipes lacks
    if value is None and isinstance(other, dict):
        return "none"
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
