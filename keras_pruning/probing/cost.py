"""The cost of scoring with all probes together."""

# Entries of a cost that add up over probes.
_COUNTS = ("examples_seen", "examples_forward", "examples_with_gradients", "flops")


def total_cost(costs, seconds):
    """Returns the cost of several probes together, a dictionary for JSON.

    Args:
        costs: list of dictionaries as of `keras_pruning.probing.cost_of_passes.cost_of`. Probes of
            earlier versions leave entries out.
        seconds: wall-clock time of all.
    """
    total = {"seconds": seconds}
    for name in _COUNTS:
        values = [cost.get(name) for cost in costs]
        total[name] = None if None in values else sum(values)
    total["searches"] = any(cost.get("searches") for cost in costs)
    return total
