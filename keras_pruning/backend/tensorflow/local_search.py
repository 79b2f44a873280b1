"""Neighbours among clusters of nearly equal vectors, such as the outputs of a saturated softmax.

The fast distances of `Search` lose the digits below the rounding of the squared lengths. Around a
vector of the cluster as the centre, the lengths are as small as the distances.
"""

import numpy as np

from keras_pruning.backend.tensorflow.candidate_walks import slices

# A query is in the cell of a centre if the rounding is at most this part of its k-th distance.
_ROUNDING = 0.01
# Fewer queries than these are searched by differences from the whole support.
_FEWEST = 64
# Number of centres in turn with fewer queries after which no more are tried.
_MOST_SMALL = 16
# Bytes of the temporary arrays for each number of a vector.
_BYTES = 32


def search_locally(search, query_rows, excluded, rows, squares):
    """Searches queries again whose neighbours are much nearer to them than the centre.

    A query with k support vectors within a distance b has its neighbours within b. A cell is the
    queries around one of them whose distances are clear of rounding there, and its support is the
    vectors that can be within the distance b of any of them.

    Args:
        search: `keras_pruning.backend.tensorflow.neighbor_search.Search` in float64.
        query_rows: integers `(queries,)`, the rows of the queries.
        excluded: integers `(queries,)`, the row of the support that is no neighbour of each query,
            -1 for none.
        rows: int64 `(queries, k)`, distinct support vectors. It becomes the neighbours, in place.
        squares: floats of the same shape. They become the squared distances, in place.

    Returns:
        Booleans `(queries,)`, true for a query that still has to be searched by differences.
    """
    unsure = np.ones(len(query_rows), bool)
    bounds = search.farthest(query_rows, rows)
    # Begin with the largest distance, whose cell is the largest.
    waiting, small, rng = np.argsort(-bounds), 0, np.random.default_rng(0)
    while len(waiting) >= _FEWEST and small < _MOST_SMALL:
        center = search.vectors_at(search.queries, query_rows[waiting[:1]])[0]
        distances = _distances(search, search.queries, query_rows[waiting], center)
        limits = _ROUNDING * bounds[waiting]
        is_near = search.rounding(distances, bounds[waiting]) <= limits
        is_near[0] = True
        near_bounds = bounds[waiting[is_near]]
        cell, waiting = np.sort(waiting[is_near]), waiting[~is_near]
        if len(cell) < _FEWEST:
            small += 1
            # A query at random is in a large cluster more often than not
            if len(waiting):
                place = rng.integers(len(waiting))
                waiting[[0, place]] = waiting[[place, 0]]
            continue
        small = 0
        radius = (distances[is_near] + np.sqrt(near_bounds)).max() * (1 + 1e-9)
        everything = search.positions(slice(0, search.size))
        members = everything[_distances(search, search.support, everything, center) <= radius]
        local = search.around(center, members)
        rows[cell], squares[cell], unsure[cell] = local(query_rows[cell], excluded[cell])
        left = cell[unsure[cell]]
        if left.size:
            rows[left], squares[left] = local.by_differences(
                query_rows[left], excluded[left], rows[left]
            )
        unsure[cell] = False
    return unsure


def _distances(search, vectors, rows, center):
    """Returns the distances of the vectors at `rows` from a centre, float64 `(rows,)`."""
    distances = np.empty(len(rows))
    block = max(1, search.quarter_bytes // (_BYTES * len(center)))
    for part in slices(len(rows), block):
        differences = np.subtract(search.vectors_at(vectors, rows[part]), center, dtype=np.float64)
        distances[part] = np.sqrt(np.einsum("ij,ij->i", differences, differences))
    return distances
