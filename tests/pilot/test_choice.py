"""The decision of a pilot and its record."""

import json

import numpy as np
import pytest

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.pilot.choice import PolicyChoice, decide, require_accuracy
from keras_pruning.selection.methods import is_baseline, method_name

NOISE = np.array([0.0, 0.01, -0.01, 0.005, -0.005])
REQUEST = {"by": "el2n", "policy": "auto", "policy_options": {"seeds": 5}, "extrapolated": False}


def decided(**gains):
    """The decision if random has 0.8 on every split, and policies these gains with some noise."""
    accuracies = {"random": np.full(5, 0.8)}
    for number, (name, gain) in enumerate(gains.items()):
        accuracies[name] = 0.8 + gain + np.roll(NOISE, number)
    return decide(accuracies, 0.25, "el2n", 0.1, list(range(5)), request=REQUEST)


def test_the_best_policy_is_taken_if_it_is_better_beyond_doubt():
    choice = decided(easiest=-0.2, middle=0.05, stratified=0.1, hardest=0.02)
    assert (choice.policy, choice.by) == ("stratified", "el2n")
    assert [entry.policy for entry in choice.comparisons][:2] == ["stratified", "middle"]
    assert choice.best.difference == pytest.approx(0.1)
    assert choice.p_adjusted == choice.best.p_adjusted < 0.01
    assert choice.rival == "middle"
    assert choice.p_rival < 0.05
    assert repr(choice).startswith("The pilot takes stratified: +10.00 ± ")
    assert "cannot tell" not in repr(choice)


def test_a_rival_that_is_as_good_is_named():
    choice = decided(middle=0.1, stratified=0.099)
    assert choice.policy == "middle"
    assert "It cannot tell middle from stratified, the next best (p 0." in repr(choice)


@pytest.mark.parametrize("gains", [(0.004, 0.001), (-0.1, -0.2), (0.0, 0.0)])
def test_random_is_taken_if_the_pilot_cannot_tell(gains):
    choice = decided(easiest=gains[0], hardest=gains[1])
    assert (choice.policy, choice.by, choice.rival) == ("random", None, None)
    assert choice.p_adjusted > 0.05
    assert repr(choice).startswith("The pilot cannot tell a policy that is better than random.")


def test_the_number_of_policies_makes_it_harder():
    """The same accuracies of one policy are beyond doubt only if no others are tried."""
    alone = decided(hardest=0.0145)
    tried = decided(hardest=0.0145, easiest=0.0, middle=0.0, stratified=0.0)
    assert alone.policy == "hardest"
    assert tried.policy == "random"
    assert tried.p_adjusted == pytest.approx(4 * alone.p_adjusted)


def test_chance_wins_in_five_percent_of_pilots_at_most():
    """Centroids of 20 random examples a pilot run, whichever policy they are said to be of."""
    wins = 0
    for data in range(300):
        rng = np.random.default_rng(data)
        labels = np.arange(200) % 2
        x = rng.normal(size=(200, 5)) + 0.5 * labels[:, None]
        accuracies = {name: [] for name in ("easiest", "middle", "stratified", "hardest", "random")}
        for _ in range(5):
            held_out, pool = np.split(rng.permutation(200), [40])
            for values in accuracies.values():
                rows = rng.permutation(pool)[:20]
                centers = [x[rows][labels[rows] == label].mean(axis=0) for label in (0, 1)]
                distances = [((x[held_out] - center) ** 2).sum(axis=1) for center in centers]
                values.append(np.mean((distances[1] < distances[0]) == labels[held_out]))
        wins += decide(accuracies, 0.25, "el2n", 0.1, list(range(5))).policy != "random"
    assert 0 < wins <= 0.05 * 300


def scored():
    metadata = {"scores": {"el2n": {"higher_is_harder": True}}}
    values = {"el2n": np.arange(100.0)}
    return kp.ScoreTable(np.arange(100), np.arange(100) % 2, values, metadata=metadata)


@pytest.mark.parametrize(
    ("choice", "policy"), [(decided(easiest=0.1), "easiest"), (decided(easiest=-0.1), "random")]
)
def test_the_subset_records_the_choice_and_its_pilot(choice, policy, tmp_path):
    subset = choice.select(scored(), seed=2)
    expected = kp.select(scored(), choice.by, 0.1, policy, seed=2)
    np.testing.assert_array_equal(subset.mask, expected.mask)
    subset.save(tmp_path / "s.parquet")
    selection = kp.Subset.load(tmp_path / "s.parquet").selection
    assert selection["policy"] == policy
    assert selection["by"] == choice.by
    assert method_name(selection) == "el2n-auto"
    assert not is_baseline(selection)
    again = PolicyChoice.from_dict(selection["auto"], 0.1, None)
    assert repr(again) == repr(choice)
    assert again.as_dict() == json.loads(json.dumps(choice.as_dict()))


@pytest.mark.parametrize("value", [1.01, -0.1, float("nan"), None, "good"])
def test_anything_but_an_accuracy_is_refused(value):
    with pytest.raises(InputError, match="Invalid result of `accuracy`. Expected a number in"):
        require_accuracy(value)
