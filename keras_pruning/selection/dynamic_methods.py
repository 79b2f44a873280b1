"""Default options and baselines of the methods that prune while training.

The classes are in `training.dynamic` and need Keras, which takes seconds to load. Configs, folders
of runs and comparisons are made in processes that do not load it and read this table, which a test
compares with the classes.
"""

# Options of each method at their defaults. Those of all methods follow.
DEFAULTS = {
    "rs2": {"f": 0.5},
    "infobatch": {"r": 0.5, "delta": 0.875},
    "seta": {"r": 0.1, "groups": 5, "window": 0.9, "delta": 0.875},
    "orderdp": {"a": 0.8, "f": 0.5},
    "shortened": {"f": 0.5},
}
COMMON = {"loss": "example"}
# The methods that others are measured against, at the same number of examples seen. Each of them is
# measured against those after it.
DYNAMIC_BASELINES = ("rs2", "shortened")


def own_options(entry):
    """Returns the options of a dynamic entry that are not at their defaults, as a dictionary.

    Args:
        entry: dictionary of a `name` and options.
    """
    defaults = {**DEFAULTS.get(entry["name"], {}), **COMMON}
    return {
        option: value
        for option, value in entry.items()
        if option != "name" and not (option in defaults and defaults[option] == value)
    }


def measured_against(name):
    """Returns the names of the baselines that a method is measured against, a tuple."""
    if name not in DYNAMIC_BASELINES:
        return DYNAMIC_BASELINES
    return DYNAMIC_BASELINES[DYNAMIC_BASELINES.index(name) + 1 :]
