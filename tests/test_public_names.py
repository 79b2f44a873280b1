"""Every public function names the argument and its expected kind when it gets something else."""

import numpy as np
import pytest
import tensorflow as tf
from support.small import random_images

import keras_pruning as kp
from keras_pruning import InputError


def table():
    metadata = {"scores": {"el2n": {"higher_is_harder": True}}}
    return kp.ScoreTable(["a", "b"], [0, 1], {"el2n": [1.0, 2.0]}, metadata=metadata)


def pair():
    """A table and its examples."""
    return table(), kp.Examples.from_arrays(np.zeros((2, 3)), [0, 1], ["a", "b"])


def not_none(value):
    """The value, or another wrong one for arguments that may be `None`."""
    return 0 if value is None else value


def not_array(value):
    """The value, or another wrong one for arguments that may be an array."""
    return 0 if isinstance(value, np.ndarray) else value


X, Y = np.zeros((4, 3), "float32"), np.arange(4) % 2
WRONG = {
    "tuple": (X, Y),
    "list": [X, Y],
    "dictionary": {"x": X, "y": Y},
    "tf.data": tf.data.Dataset.from_tensor_slices((X, Y)).batch(2),
    "array": X,
    "masked": np.ma.masked_array(X),
    "none": None,
    "number": 3.5,
    "class": kp.Examples,
    "object": object(),
}
# Public name: calls of it with one wrong argument. The names of probing have tests of their own.
CALLS = {
    "load_examples": [lambda wrong: kp.load_examples(wrong)],
    "Examples": [
        lambda wrong: random_images(9).keep(wrong),
        lambda wrong: random_images(9).draw(wrong),
        lambda wrong: random_images(9).draw(0.5, seed=wrong),
        lambda wrong: random_images(9).with_label_noise(wrong),
    ],
    "scores": [
        lambda wrong: kp.scores.get(wrong),
        lambda wrong: kp.scores.VoG(every=not_none(wrong)),
    ],
    "scores_from_probabilities": [lambda wrong: kp.scores_from_probabilities(wrong, Y)],
    "ScoreTable": [lambda wrong: kp.ScoreTable.load(wrong)],
    "selection": [lambda wrong: kp.selection.get(wrong)],
    "select": [
        lambda wrong: kp.select(wrong, "el2n"),
        lambda wrong: kp.select(table(), wrong, 0.5),
        lambda wrong: kp.select(table(), "el2n", wrong),
        lambda wrong: kp.select(table(), "el2n", 0.5, policy=wrong),
        lambda wrong: kp.select(table(), "el2n", 0.5, quota=not_none(wrong)),
        lambda wrong: kp.select(table(), "el2n", 0.5, seed=wrong),
    ],
    "Subset": [lambda wrong: kp.Subset.load(wrong)],
    "suspects": [
        lambda wrong: kp.suspects(wrong, random_images(2)),
        lambda wrong: kp.suspects(table(), wrong),
        lambda wrong: kp.suspects(*pair(), by=not_none(wrong)),
        lambda wrong: kp.suspects(*pair(), model=not_none(wrong)),
        lambda wrong: kp.suspects(*pair(), predictions=not_none(wrong)),
        lambda wrong: kp.suspects(*pair(), count=not_none(wrong)),
    ],
    "doctor": [
        lambda wrong: kp.doctor(wrong, random_images(9)),
        lambda wrong: kp.doctor(lambda noisy: wrong, random_images(9)),
        lambda wrong: kp.doctor(lambda noisy: noisy, wrong),
        lambda wrong: kp.doctor(lambda noisy: noisy, random_images(9), noise=wrong),
        lambda wrong: kp.doctor(lambda noisy: noisy, random_images(9), seed=wrong),
    ],
    "choose_policy": [
        lambda wrong: kp.choose_policy(wrong, *reversed(pair()), "el2n", 0.5),
        lambda wrong: kp.choose_policy(max, wrong, table(), "el2n", 0.5),
        lambda wrong: kp.choose_policy(max, pair()[1], wrong, "el2n", 0.5),
        lambda wrong: kp.choose_policy(max, *reversed(pair()), wrong, 0.5),
        lambda wrong: kp.choose_policy(max, *reversed(pair()), "el2n", wrong),
        lambda wrong: kp.choose_policy(max, *reversed(pair()), "el2n", 0.5, not_none(wrong)),
        lambda wrong: kp.choose_policy(max, *reversed(pair()), "el2n", 0.5, seeds=wrong),
        lambda wrong: kp.choose_policy(max, *reversed(pair()), "el2n", 0.5, part=wrong),
        lambda wrong: kp.choose_policy(max, *reversed(pair()), "el2n", 0.5, seed=wrong),
    ],
    "dynamic": [
        lambda wrong: kp.dynamic.get(wrong, random_images(9), 2),
        lambda wrong: kp.dynamic.InfoBatch(wrong, 2),
        lambda wrong: kp.dynamic.InfoBatch(random_images(9), wrong),
        lambda wrong: kp.dynamic.InfoBatch(random_images(9), 2, seed=wrong),
        lambda wrong: kp.dynamic.InfoBatch(random_images(9), 2, r=wrong),
        lambda wrong: kp.dynamic.InfoBatch(random_images(9), 2, loss=wrong),
    ],
    "near_duplicates": [
        lambda wrong: kp.near_duplicates(X, threshold=wrong),
        lambda wrong: kp.near_duplicates(X, labels=not_none(wrong)),
        lambda wrong: kp.near_duplicates(X, priority=not_none(wrong)),
        lambda wrong: kp.near_duplicates(not_array(wrong)),
    ],
    "leaks": [
        lambda wrong: kp.leaks(not_array(wrong), X),
        lambda wrong: kp.leaks(X, not_array(wrong)),
        lambda wrong: kp.leaks(X, X, most=wrong),
    ],
    "export": [
        lambda wrong: kp.export(wrong, "csv", "nowhere"),
        lambda wrong: kp.export(pair()[1], wrong, "nowhere"),
        lambda wrong: kp.export(pair()[1], "csv", wrong),
        lambda wrong: kp.export(pair()[1], "folder", "nowhere", not_none(wrong)),
    ],
    "verdict": [
        lambda wrong: kp.verdict({"random": wrong}),
        lambda wrong: kp.verdict({"random": [0.5]}, baseline=wrong),
        lambda wrong: kp.verdict({"random": [0.5]}, baselines=not_none(wrong)),
        lambda wrong: kp.verdict({"random": [0.5]}, tolerance=wrong),
    ],
    "write_report": [
        lambda wrong: kp.write_report(wrong, table()),
        lambda wrong: kp.write_report("nowhere.html", wrong),
        lambda wrong: kp.write_report("nowhere.html", table(), not_none(wrong)),
        lambda wrong: kp.write_report("nowhere.html", table(), None, not_none(wrong)),
    ],
    "keep": [lambda wrong: kp.keep(WRONG["tf.data"], wrong)],
}
ELSEWHERE = {"ScoreCallback", "score_checkpoints", "InputError"}


def test_every_public_name_has_calls():
    assert set(CALLS) | ELSEWHERE == set(kp.__all__)


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_argument_is_named(name, kind):
    for call in CALLS[name]:
        with pytest.raises(InputError, match=r"(?s)(Invalid `|Unknown |needs a score).*Expected"):
            call(WRONG[kind])
