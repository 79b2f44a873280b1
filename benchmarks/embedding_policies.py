"""Policies on an embedding: against the bare products that each needs, and against apricot.

A tenth of the vectors is kept, by facility location a hundredth. apricot's facility location holds
all pairs of similarities, 8 bytes each, so that it is compared on fewer vectors.

python benchmarks/embedding_policies.py [VECTORS] [DIMENSIONS] [FEWER] [REPETITIONS]
"""

import importlib.util

from rows import Row, main, say
from timing import ratios, tensorflow
from turns import in_turn

PART = 0.1
# Facility location computes gains again and again.
FEW = 0.01


def vectors(num_vectors, dimensions):
    """Returns vectors in 100 clusters, with a spread that falls from dimension to dimension."""
    import numpy as np

    rng = np.random.default_rng(0)
    spread = np.arange(1, dimensions + 1, dtype=np.float32) ** -0.5
    centers = rng.standard_normal((100, dimensions), dtype=np.float32)
    x = rng.standard_normal((num_vectors, dimensions), dtype=np.float32)
    return (centers[rng.integers(0, 100, num_vectors)] + x) * spread


def ours(name, num_vectors, dimensions):
    import numpy as np

    tensorflow()
    from keras_pruning.selection import get
    from keras_pruning.selection.candidates import Candidates

    rng = np.random.default_rng(1)
    arrays = {
        "embedding": vectors(num_vectors, dimensions),
        "difficulty": rng.random(num_vectors, np.float32),
        "labels": rng.integers(0, 10, num_vectors),
    }
    candidates, policy = Candidates(num_vectors, arrays), get(name)
    count = int(_part(name) * num_vectors)
    return lambda: policy.choose(candidates, count, np.random.default_rng(0))


def _part(policy):
    return FEW if policy == "facility_location" else PART


def one_product_each(num_vectors, dimensions):
    """Returns a function of one product of all vectors for each kept one, without their results."""
    x = vectors(num_vectors, dimensions)

    def products():
        for row in range(int(PART * num_vectors)):
            x @ x[row]

    return products


def all_pairs(num_vectors, dimensions):
    """Returns a function of the products of all pairs of vectors, in blocks, without results."""
    x = vectors(num_vectors, dimensions)

    def products():
        for start in range(0, num_vectors, 500):
            x @ x[start : start + 500].T

    return products


def apricot(num_vectors, dimensions):
    from apricot import FacilityLocationSelection

    x = vectors(num_vectors, dimensions)
    count = int(FEW * num_vectors)
    selection = FacilityLocationSelection(count, metric="cosine", optimizer="lazy", verbose=False)
    return lambda: selection.fit(x)


REFERENCES = {
    "k_center": ("one product a kept example", one_product_each),
    "herding": ("one product a kept example", one_product_each),
    "facility_location": ("the products of all pairs", all_pairs),
    "message_passing": ("the products of all pairs", all_pairs),
    "moderate": ("the products of all pairs", all_pairs),
}


def measure(num_vectors=60_000, dimensions=512, fewer=10_000, repetitions=1):
    size = {"num_vectors": num_vectors, "dimensions": dimensions}
    for policy, (name, reference) in REFERENCES.items():
        yield _row(policy, size, name, reference, repetitions)
    if importlib.util.find_spec("apricot") is None:
        say("apricot is not installed: without its row. See benchmarks/requirements.txt")
        return
    size = {"num_vectors": fewer, "dimensions": dimensions}
    yield _row("facility_location", size, "apricot, lazy", apricot, repetitions)


def _row(policy, size, name, reference, repetitions):
    contestants = {"ours": (ours, {"name": policy, **size}), "it": (reference, size)}
    turns = in_turn(contestants, repetitions, uncounted=0)
    taken = ratios(turns["ours"].seconds, turns["it"].seconds)
    work = f"`{policy}`, {_part(policy):.0%} of {size['num_vectors']:,} × {size['dimensions']}"
    return Row(work, name, **taken, peak=turns["ours"].peak)


if __name__ == "__main__":
    main(measure)
