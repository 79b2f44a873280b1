"""The pilot with a function of the user, and on data whose best policy is known."""

import numpy as np
import pytest
from sklearn.svm import LinearSVC

import keras_pruning as kp
from keras_pruning import InputError


def teacher(dimensions, per_dimension):
    """Gaussian inputs that a linear teacher labels. The difficulty is the margin to it."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=dimensions) / np.sqrt(dimensions)
    x = rng.normal(size=(per_dimension * dimensions, dimensions)).astype("float32")
    margins = x @ weights
    examples = kp.Examples.from_arrays(x, (margins > 0).astype(int))
    metadata = {
        "examples": examples.provenance,
        "scores": {"margin": {"higher_is_harder": False}},
    }
    scores = {"margin": np.abs(margins)}
    return examples, kp.ScoreTable(examples.ids, examples.labels, scores, metadata=metadata)


def inputs(examples):
    return examples.stored_inputs(np.arange(len(examples)))


def of_largest_margin(kept, held_out, seed):
    """The accuracy of the linear student of the largest margin, as the theory has it."""
    student = LinearSVC(C=1e3, fit_intercept=False, max_iter=20000, tol=1e-3, random_state=seed)
    student.fit(inputs(kept), kept.labels)
    return student.score(inputs(held_out), held_out.labels)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("dimensions", "per_dimension", "policy"), [(800, 2, "easiest"), (150, 20, "hardest")]
)
def test_a_linear_teacher(dimensions, per_dimension, policy):
    """Sorscher et al. 2022, section 2: easy examples if there are few for each dimension."""
    examples, table = teacher(dimensions, per_dimension)
    choice = kp.choose_policy(of_largest_margin, examples, table, "margin", 0.3, seeds=8)
    assert choice.policy == policy
    assert choice.p_adjusted < 0.05


def counting(accuracies):
    """A function that returns an accuracy by the mean margin of the kept examples."""

    def accuracy(kept, held_out, seed):
        calls.append((sorted(kept.ids), sorted(held_out.ids), seed))
        return accuracies(np.mean(np.abs(inputs(kept)[:, 0])), seed)

    calls = []
    accuracy.calls = calls
    return accuracy


def one_dimension(count=200):
    """Examples whose margin is their only input."""
    x = np.random.default_rng(1).normal(size=(count, 1)).astype("float32")
    examples = kp.Examples.from_arrays(x, (x[:, 0] > 0).astype(int))
    metadata = {
        "examples": examples.provenance,
        "scores": {"margin": {"higher_is_harder": False}},
    }
    scores = {"margin": np.abs(x[:, 0])}
    return examples, kp.ScoreTable(examples.ids, examples.labels, scores, metadata=metadata)


def test_it_trains_each_policy_once_on_every_split():
    examples, table = one_dimension()
    noise = np.random.default_rng(2).normal(0, 0.001, 100)
    # Only the easiest have a mean margin above one.
    accuracy = counting(
        lambda margin, seed: 0.5 + 0.3 * (margin > 1) + noise[int(1e4 * margin) % 100]
    )
    choice = kp.choose_policy(accuracy, examples, table, "margin", 0.25, seeds=3, seed=7)
    assert choice.policy == "easiest"
    assert choice.seeds == [7, 8, 9]
    assert len(accuracy.calls) == 15
    for kept, held_out, _ in accuracy.calls:
        assert (len(kept), len(held_out)) == (40, 40)
        assert not set(kept) & set(held_out)
    assert [call[2] for call in accuracy.calls] == sorted([7, 8, 9] * 5)
    assert len({tuple(call[1]) for call in accuracy.calls}) == 3
    subset = choice.select(table)
    np.testing.assert_array_equal(subset.mask, kp.select(table, "margin", 0.25, "easiest").mask)
    assert subset.selection["auto"]["request"]["policy_options"] == {"seeds": 3, "part": 1.0}


def test_a_model_that_learns_nothing_takes_random():
    examples, table = one_dimension()
    rng = np.random.default_rng(0)
    choice = kp.choose_policy(lambda *_: rng.uniform(0.4, 0.6), examples, table, "margin", 0.25)
    assert choice.policy == "random"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"accuracy": 0.9}, "Invalid `accuracy`. Expected a function"),
        ({"accuracy": lambda *_: 90.0}, "Invalid result of `accuracy`. Expected a number in"),
        ({"by": "el2n"}, "Unknown score in this table"),
        ({"keep_fraction": 1.0}, "nothing to choose if all examples are kept"),
        ({"keep_fraction": 2}, "Invalid `keep_fraction`"),
        ({"seeds": 1}, "Invalid `seeds`. Expected at least 2, because one split"),
        ({"part": 0}, "Invalid `part`"),
        ({"seed": -1}, "Invalid `seed`"),
        ({"quota": "equal"}, "Unknown quota"),
    ],
)
def test_wrong_arguments_are_refused(changes, message):
    examples, table = one_dimension()
    arguments = {"accuracy": lambda *_: 0.5, "by": "margin", "keep_fraction": 0.5, **changes}
    accuracy = arguments.pop("accuracy")
    with pytest.raises(InputError, match=message):
        kp.choose_policy(accuracy, examples, table, **arguments)


def test_scores_of_other_examples_are_refused():
    examples, _ = one_dimension(100)
    _, table = one_dimension(200)
    with pytest.raises(InputError, match="score table was made from other examples"):
        kp.choose_policy(lambda *_: 0.5, examples, table, "margin", 0.5)


def test_select_says_how_to_run_a_pilot():
    _, table = one_dimension()
    with pytest.raises(InputError, match="'auto' trains models, and `select` does not.*choose_pol"):
        kp.select(table, "margin", 0.5, "auto")
