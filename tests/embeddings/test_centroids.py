"""Centroids of classes and of k-means, and the distances to them."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_info

from keras_pruning.embeddings import centroids
from keras_pruning.embeddings.centroids import (
    class_centroids,
    kmeans_centroids,
    nearest_centroid,
    squared_distances,
)

METRICS = pytest.mark.parametrize("metric", ["euclidean", "cosine"])


def clumps():
    """Three clumps far apart, of 180, 90 and 30 vectors one after the other, and their numbers."""
    rng = np.random.default_rng(0)
    clump = np.repeat([0, 1, 2], [180, 90, 30])
    middles = np.array([[50, 0, 0, 1], [0, 60, 0, 1], [0, 0, 70, 1]])
    return (middles[clump] + rng.normal(size=(300, 4))).astype("float32"), clump


def directions(vectors):
    return vectors / np.sqrt((vectors**2).sum(axis=-1, keepdims=True))


@METRICS
@pytest.mark.parametrize("block", [1, 17, 2**22])
def test_the_same_as_numpy(metric, block, monkeypatch, tmp_path):
    monkeypatch.setattr(centroids, "_BLOCK", block)
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 5, 70)
    labels[labels == 2] = 4  # a class without examples
    vectors = np.lib.format.open_memmap(tmp_path / "v.npy", "w+", np.float32, (70, 3))
    vectors[:] = rng.normal(size=(70, 3)) + 1
    exact = np.float64(vectors)
    exact = directions(exact) if metric == "cosine" else exact
    for row in range(70):
        mean = exact[labels == labels[row]].mean(axis=0)
        mean = directions(mean) if metric == "cosine" else mean
        found = class_centroids(vectors, labels, metric)
        np.testing.assert_allclose(found[labels[row]], mean)
        found = squared_distances(vectors, found, labels, metric)[row]
        np.testing.assert_allclose(found, ((exact[row] - mean) ** 2).sum(), atol=1e-12)
        if metric == "cosine":
            np.testing.assert_allclose(found / 2, 1 - exact[row] @ mean, atol=1e-12)
    assert np.isnan(class_centroids(vectors, labels, metric)[2]).all()
    others = rng.normal(size=(9, 3)) + 1
    others = directions(others) if metric == "cosine" else others
    distances = [[((x - c) ** 2).sum() for c in others] for x in exact]
    np.testing.assert_array_equal(
        nearest_centroid(vectors, others, metric), np.argmin(distances, axis=1)
    )


def test_the_nearest_far_from_the_origin():
    rng = np.random.default_rng(0)
    vectors = (1e9 + 300 * rng.normal(size=(200, 5))).astype("float32")
    others = 1e9 + 0.1 * rng.normal(size=(20, 5))
    distances = [[((x - c) ** 2).sum() for c in others] for x in np.float64(vectors)]
    np.testing.assert_array_equal(nearest_centroid(vectors, others), np.argmin(distances, axis=1))


@METRICS
def test_k_means_is_scikit_learns(metric):
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(120, 4)).astype("float32")
    prepared = directions(vectors) if metric == "cosine" else vectors
    expected = KMeans(6, n_init=10, random_state=3).fit(prepared)
    middles = np.float64(expected.cluster_centers_)
    middles = directions(middles) if metric == "cosine" else middles
    found = kmeans_centroids(vectors, 6, metric, seed=3)
    np.testing.assert_allclose(found, middles, atol=1e-6)


def test_the_seed_is_the_seed_of_k_means():
    vectors = np.random.default_rng(0).normal(size=(150, 6)).astype("float32")
    first = kmeans_centroids(vectors, 12, seed=5)
    np.testing.assert_array_equal(kmeans_centroids(vectors, 12, seed=5), first)
    assert not np.allclose(kmeans_centroids(vectors, 12, seed=6), first)
    assert len(kmeans_centroids(vectors, 2, seed=2**40)) == 2


@METRICS
def test_mini_batches_beyond_a_size(metric, monkeypatch):
    """The first k-means sees a part; in the end the centroids are the means of all examples."""
    monkeypatch.setattr(centroids, "_LARGEST", 4 * 70)
    monkeypatch.setattr(centroids, "_BATCH", 40)
    taken = []
    real = centroids._at_rows

    def spy(vectors, rows, *rest):
        taken.append(rows)
        return real(vectors, rows, *rest)

    monkeypatch.setattr(centroids, "_at_rows", spy)
    vectors, clump = clumps()
    found = kmeans_centroids(vectors, 3, metric)
    sizes = [len(rows) for rows in taken]
    assert sizes[0] == 70
    assert len(sizes) == 1 + 300 // 40
    assert max(sizes[1:]) < 70
    np.testing.assert_array_equal(np.sort(np.concatenate(taken[1:])), np.arange(300))
    assert all(np.diff(rows).max() > 1 for rows in taken)
    prepared = directions(vectors) if metric == "cosine" else vectors
    expected = np.stack([prepared[clump == each].mean(axis=0) for each in range(3)])
    expected = directions(expected) if metric == "cosine" else expected
    found = found[np.argsort(found[:, 2])][np.argsort(np.argsort(expected[:, 2]))]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_mini_batches_repeat_with_the_seed(monkeypatch):
    monkeypatch.setattr(centroids, "_LARGEST", 1)
    vectors = np.random.default_rng(0).normal(size=(300, 4)).astype("float32")
    first, same, other = (kmeans_centroids(vectors, 3, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(same, first)
    assert not np.allclose(other, first)


def test_wide_vectors_still_give_every_cluster_some_examples(monkeypatch):
    monkeypatch.setattr(centroids, "_LARGEST", 1)
    assert kmeans_centroids(clumps()[0], 5).shape == (5, 4)


def test_k_means_runs_in_one_thread(monkeypatch):
    """Several add up in the order in which they finish: other bits each time."""
    threads, real = [], KMeans.fit

    def spy(self, *arguments):
        threads.extend(library["num_threads"] for library in threadpool_info())
        return real(self, *arguments)

    monkeypatch.setattr(KMeans, "fit", spy)
    kmeans_centroids(clumps()[0], 3)
    assert set(threads) == {1}


def test_numpys_global_random_state_stays(monkeypatch):
    """scikit-learn draws from it for batches of more than 3,072 rows, unless it has a seed."""
    monkeypatch.setattr(centroids, "_LARGEST", 4 * 4000)
    vectors = np.random.default_rng(0).normal(size=(12_000, 4)).astype(np.float32)
    before = np.random.get_state()
    centroids.kmeans_centroids(vectors, 3, seed=0)
    after = np.random.get_state()
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2] == after[2]
