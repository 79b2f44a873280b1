"""Carrying scores over by loops, to compare with."""

import numpy as np


def brute_force(scores, vectors, labels, rows, k):
    values = np.full((len(labels), scores.shape[1]), np.nan)
    for row in range(len(labels)):
        own = [j for j in rows if labels[j] == labels[row]]
        count = min(k, len(own) - 1)
        distances = [(np.linalg.norm(vectors[j] - vectors[row]), j) for j in own if j != row]
        nearest = [list(rows).index(j) for _, j in sorted(distances)[:count]]
        if count > 0:
            values[row] = scores[nearest].mean(axis=0)
    return values
