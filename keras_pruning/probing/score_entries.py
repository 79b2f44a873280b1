"""The entries of `scores` in a config: every score of `all`, and the scores of each probe."""

from keras_pruning.backend.startup import import_tensorflow
from keras_pruning.config import seed_list


def listed_entries(entries):
    """Returns the score entries with `all` replaced by every score that is not named beside it.

    Args:
        entries: list of dictionaries of `name`, `seeds` and options, as a `Config` has them.
    """
    named = [entry for entry in entries if entry["name"] != "all"]
    every = [entry for entry in entries if entry["name"] == "all"]
    if every:
        # Without its startup messages, which the import of the scores would print.
        import_tensorflow()
        from keras_pruning.scores import SCORES

        names = [name for name in SCORES if name not in {entry["name"] for entry in named}]
        every = [{**every[0], "name": name} for name in names]
    return named + every


def entries_of_each_seed(entries, seeds, first):
    """Returns the scores that each probe takes: a dictionary from seed to a list of entries.

    Args:
        entries: list of score entries, `all` replaced.
        seeds: the `seeds` of an entry that has none itself, a number or a list.
        first: the first seed of a number of seeds.
    """
    of_each_seed = {}
    for entry in entries:
        probes = seed_list(entry.get("seeds", seeds), first)
        # An embedding from a file is the same with every probe.
        for seed in probes[:1] if entry.get("embedding") else probes:
            of_each_seed.setdefault(seed, []).append(without_seeds(entry))
    return of_each_seed


def without_seeds(entry):
    """Returns the entry with the options of the score only."""
    return {key: value for key, value in entry.items() if key != "seeds"}
