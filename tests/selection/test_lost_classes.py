"""Selections that lose a class say so."""

import warnings

import numpy as np
import pytest
from support.small import run

import keras_pruning as kp


def scored(sizes):
    """A table in which every class is harder than the ones before it."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    scores = labels + np.random.default_rng(0).random(len(labels))
    metadata = {"scores": {"el2n": {"higher_is_harder": True}}}
    return kp.ScoreTable(np.arange(len(labels)), labels, {"el2n": scores}, metadata=metadata)


def test_a_class_that_is_gone_is_named_with_the_quota():
    message = (
        r"The policy 'easiest' keeps no example .*none of class 1 \(16 examples\), among 491 kept "
        r"of 1,635. Set `quota`, for example 'balanced'"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        subset = kp.select(scored([1619, 16]), "el2n", 0.3, policy="easiest")
    assert len(caught) == 1
    # The line of the caller, not one of the package
    assert caught[0].filename == __file__
    assert np.bincount(subset.kept_labels).tolist() == [491]


def test_many_lost_classes_are_counted():
    with pytest.warns(UserWarning, match=r"the classes 0 .*, 4 \(5 examples\) and 4 more, among"):
        kp.select(scored([5] * 10), "el2n", 0.1, policy="hardest")


def test_with_a_quota_the_way_is_a_larger_fraction():
    with pytest.warns(UserWarning, match="of 100. Keep a larger fraction"):
        kp.select(scored([50, 30, 20]), "el2n", 0.02, quota="balanced")


def test_no_word_if_every_class_is_kept_or_had_no_example():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kp.select(scored([1619, 0, 16]), "el2n", 0.3, policy="easiest", quota="balanced")
        kp.select(scored([30, 0, 16]), "el2n", 1.0)


@pytest.mark.filterwarnings("default")
def test_the_command_line_says_it_in_one_line(tmp_path, capsys):
    scored([1619, 16]).save(tmp_path / "s.parquet")
    arguments = ["--scores", tmp_path / "s.parquet", "--by", "el2n", "--keep-fraction", 0.3]
    arguments += ["--policy", "easiest", "--output", tmp_path / "kept.parquet"]
    assert run("prune", *arguments) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: The policy 'easiest' keeps no example of some classes.")
