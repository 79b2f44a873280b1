"""Prunes training data, not weights: example difficulty, selection, retraining, a verdict.

    examples ──► probes + scores ──► score table ──► selection ──► training ──► comparison
    examples/    probing/  scores/   tables/         selection/    training/    comparison/

`pilot/` chooses a policy, `wrong_labels/` tests scores on planted label noise, and `reports/` shows
results. All of them build on `models/`, `embeddings/`, `statistics/`, `jobs/` and `backend/`. The
command line is in `cli.py` and `commands/`.

The names below are in the order of the walk. Each is imported on first use, because TensorFlow
takes seconds to load.
"""

import importlib

# Public name: the module that holds it.
_HOMES = {
    "load_examples": "examples",
    "Examples": "examples",
    "scores": "scores",
    "ScoreCallback": "probing.score_callback",
    "score_checkpoints": "probing.checkpoints",
    "scores_from_probabilities": "probing.given_outputs",
    "ScoreTable": "tables.score_table",
    "selection": "selection",
    "select": "selection",
    "Subset": "selection",
    "choose_policy": "pilot.any_model",
    "dynamic": "training.dynamic",
    "keep": "examples.readers.keep",
    "near_duplicates": "embeddings.near_duplicates",
    "leaks": "embeddings.leaks",
    "export": "examples.exports",
    "verdict": "statistics.verdict",
    "suspects": "wrong_labels.suspect_list",
    "doctor": "wrong_labels.any_model",
    "write_report": "reports.html.scores_page",
    "InputError": "errors",
}
# Modules that import Keras.
_ON_KERAS = (
    "scores",
    "training.dynamic",
    "probing.score_callback",
    "probing.checkpoints",
    "probing.given_outputs",
    "embeddings.near_duplicates",
    "embeddings.leaks",
)
# Public names that are folders themselves.
_FOLDERS = ("scores", "selection", "dynamic")

__all__ = list(_HOMES)
# Part of every recipe: raise it when a default of a score changes.
__version__ = "0.9.2"


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    if home in _ON_KERAS:
        # Checked first, because the error of Keras without a backend does not say how to mend it.
        importlib.import_module(f"{__name__}.backend.startup").require_tensorflow()
    module = importlib.import_module(f"{__name__}.{home}")
    # A folder such as `scores` is a public name itself.
    return module if name in _FOLDERS else getattr(module, name)


def __dir__():
    return __all__
