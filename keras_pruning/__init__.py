"""Prunes training data, not weights: example difficulty, selection, retraining, a verdict.

    examples ──► probe + scores ──► score table ──► selection ──► subset ──► training ──► comparison
    examples/    scores/            score_table.py  selection/   tf.data    training.py  comparison/

The names below stand in the order of that walk. They are imported when first used, because
TensorFlow takes seconds to load.
"""

import importlib

_HOMES = {
    "Examples": "examples",
    "load_examples": "examples",
    "scores": "scores",
    "ScoreCallback": "probing.score_callback",
    "score_checkpoints": "probing.checkpoints",
    "ScoreTable": "tables.score_table",
    "selection": "selection",
    "select": "selection",
    "Subset": "selection",
    "InputError": "errors",
}
__all__ = list(_HOMES)
_ON_KERAS = ("scores", "probing.score_callback", "probing.checkpoints")
# Part of every recipe: raise it when a default of a score changes.
__version__ = "0.2.0"


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _HOMES[name] in _ON_KERAS:
        from keras_pruning.backend.startup import require_tensorflow

        require_tensorflow()
    home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    return home if _HOMES[name] == name else getattr(home, name)


def __dir__():
    return __all__
