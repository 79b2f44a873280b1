"""What each method chooses, against the definitions worked out by hand or by plain loops."""

import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.training.dynamic.seta import easy_to_hard


@pytest.fixture(scope="module")
def examples():
    return small.random_images(100)


def generator(seed=0):
    return np.random.default_rng(seed)


def losses_of(count=100, seed=1):
    return generator(seed).gamma(0.5, size=count).astype(np.float32)


UNSEEN = np.full(100, np.inf, np.float32)


# RS2


@pytest.mark.parametrize("f, size", [(0.5, 50), (0.3, 30), (0.07, 7), (0.145, 15), (1.0, 100)])
def test_rs2_gives_all_examples_equally_often(examples, f, size):
    method = kp.dynamic.RS2(examples, 40, f=f)
    times = np.zeros(100, int)
    for epoch in range(40):
        rows = method.choose(epoch, UNSEEN, generator())
        assert len(rows) == len(set(rows.tolist())) == size
        times += np.bincount(rows, minlength=100)
        assert times.max() - times.min() <= 1


def test_rs2_does_not_depend_on_the_epochs_asked_before(examples):
    asked = kp.dynamic.RS2(examples, 40, f=0.3)
    in_order = [asked.choose(epoch, UNSEEN, generator()) for epoch in range(40)]
    for epoch in (17, 3, 39, 0):
        again = kp.dynamic.RS2(examples, 40, f=0.3).choose(epoch, UNSEEN, generator())
        np.testing.assert_array_equal(again, in_order[epoch])
        np.testing.assert_array_equal(asked.choose(epoch, UNSEEN, generator()), again)


def test_rs2_cuts_other_parts_with_another_seed(examples):
    first, second = (kp.dynamic.RS2(examples, 4, seed=seed) for seed in (0, 1))
    rows = [set(method.choose(0, UNSEEN, generator()).tolist()) for method in (first, second)]
    assert rows[0] != rows[1]


# InfoBatch


def test_infobatch_by_hand():
    """Mean 2.5: the losses 1 and 2 are easy, and one of them stays at weight 2."""
    examples = small.random_images(4)
    method = kp.dynamic.InfoBatch(examples, 10, r=0.5)
    losses, seen = np.array([1, 2, 3, 4], np.float32), set()
    for seed in range(20):
        rows, weights = method.choose(1, losses, generator(seed))
        assert {2, 3} < set(rows.tolist()) and len(rows) == 3
        np.testing.assert_array_equal(weights, np.where(losses[rows] < 2.5, 2, 1))
        seen |= set(rows.tolist())
    assert seen == {0, 1, 2, 3}


def test_infobatch_keeps_losses_that_equal_the_mean(examples):
    rows, weights = kp.dynamic.InfoBatch(examples, 10).choose(1, np.ones(100), generator())
    np.testing.assert_array_equal(rows, np.arange(100))
    np.testing.assert_array_equal(weights, np.ones(100))


@pytest.mark.parametrize("r", [0.0, 0.3, 0.5, 0.77, 0.95])
def test_the_weights_of_infobatch_sum_to_n(examples, r):
    method, losses = kp.dynamic.InfoBatch(examples, 10, r=r), losses_of()
    sums, times = [], np.zeros(100)
    for seed in range(2000):
        rows, weights = method.choose(1, losses, generator(seed))
        sums.append(weights.sum(dtype=float))
        times += np.bincount(rows, weights, minlength=100)
    # But for one weight in every draw, and in expectation
    assert np.abs(np.array(sums) - 100).max() <= 1 / (1 - r) + 1e-4
    deviation = 1 / (1 - r) / np.sqrt(2000)
    assert abs(np.mean(sums) - 100) < 5 * deviation
    # Each example by itself has the weight 1 in expectation
    assert np.abs(times / 2000 - 1).max() < 5 * np.sqrt(r / (1 - r) / 2000) + 1e-6


def test_infobatch_counts_unseen_examples_as_hard(examples):
    losses = losses_of()
    losses[:30] = np.inf
    rows, weights = kp.dynamic.InfoBatch(examples, 10, r=0.9).choose(1, losses, generator())
    assert set(range(30)) <= set(rows.tolist())
    np.testing.assert_array_equal(weights[np.isin(rows, np.arange(30))], np.ones(30))
    easy = losses[30:] < losses[30:].mean()
    assert np.isclose(weights.max(), 10) and len(rows) < 100 - 0.8 * easy.sum()


def annealed(method, losses):
    """The epochs of a run that train on all examples at weight 1."""
    whole = []
    for epoch in range(method.epochs):
        chosen = method.choose(epoch, losses, generator(epoch))
        rows, weights = chosen if isinstance(chosen, tuple) else (chosen, np.ones(len(chosen)))
        if len(rows) == len(losses) and (weights == 1).all():
            whole.append(epoch)
    return whole


@pytest.mark.parametrize(
    "epochs, delta, first",
    [(30, 0.875, 27), (8, 0.875, 7), (20, 0.875, 18), (100, 0.55, 55), (10, 0.7, 7), (7, 1.0, 7)],
)
def test_infobatch_ends_on_all_examples(examples, epochs, delta, first):
    """⌈δE⌉: 26.25 is 27, and 0.55 · 100 is 55, although it is 55.00000000000001 in binary."""
    method = kp.dynamic.InfoBatch(examples, epochs, delta=delta)
    assert annealed(method, losses_of()) == [0, *range(first, epochs)]


# SeTa


def test_seta_groups_from_easy_to_hard():
    losses = np.repeat([0.1, 5.0, 1.0, 9.0], [6, 2, 5, 3]).astype(np.float32)
    group, count = easy_to_hard(losses, 4, generator())
    assert count == 4
    np.testing.assert_array_equal(group, np.repeat([0, 2, 1, 3], [6, 2, 5, 3]))


def test_seta_slides_its_window_over_the_groups(examples):
    """Two windows of four of the five groups, which take turns."""
    losses = np.repeat([0.0, 1, 2, 3, 4], 20).astype(np.float32)
    method = kp.dynamic.SeTa(examples, 30, r=0.0)
    for epoch in range(1, 27):
        rows = method.choose(epoch, losses, generator(epoch))
        assert set(losses[rows]) == ({0, 1, 2, 3} if epoch % 2 == 0 else {1, 2, 3, 4})
        assert len(rows) == 80


def test_seta_draws_a_part_and_ends_on_the_whole_draw(examples):
    method, losses = kp.dynamic.SeTa(examples, 30, r=0.25, groups=3, window=0.3), losses_of()
    sizes = [len(method.choose(epoch, losses, generator(epoch))) for epoch in range(30)]
    assert sizes[0] == 100 and sizes[27:] == [75, 75, 75]
    assert max(sizes[1:27]) < 75
    # Windows of one of three groups
    grouped = [set(method.choose(epoch, losses, generator()).tolist()) for epoch in (3, 4, 5)]
    assert not (grouped[0] & grouped[1] | grouped[1] & grouped[2] | grouped[0] & grouped[2])
    assert sum(map(len, grouped)) == 75


def test_seta_takes_losses_of_few_different_values(examples):
    method = kp.dynamic.SeTa(examples, 30, r=0.0)
    assert len(method.choose(1, np.ones(100, np.float32), generator())) == 100
    losses = np.repeat([0.0, 1.0], 50).astype(np.float32)
    # Of two groups, round(0.9 · 2) = 2 are kept
    assert len(method.choose(1, losses, generator())) == 100


# OrderDP


def test_orderdp_takes_the_largest_losses_of_its_draw(examples):
    method, losses = kp.dynamic.OrderDP(examples, 10, a=0.8, f=0.5), losses_of()
    rows = method.choose(1, losses, generator())
    drawn = set(generator().choice(100, 80, replace=False).tolist())
    by_hand = sorted(drawn, key=lambda row: -losses[row])[:50]
    assert set(rows.tolist()) == set(by_hand)


def test_orderdp_begins_with_a_random_part(examples):
    rows = [kp.dynamic.OrderDP(examples, 10).choose(0, UNSEEN, generator(s)) for s in range(400)]
    times = np.bincount(np.concatenate(rows), minlength=100)
    # Binomial with p = 1/2, within five deviations of 10
    assert len(rows[0]) == 50 and np.abs(times - 200).max() < 50


def test_orderdp_takes_unseen_examples_first(examples):
    losses = losses_of()
    losses[:10] = np.inf
    rows = kp.dynamic.OrderDP(examples, 10, a=1.0, f=0.5).choose(1, losses, generator())
    assert set(range(10)) <= set(rows.tolist())


# Shortened


def test_shortened_trains_on_everything_for_a_part_of_the_run(examples):
    method = kp.dynamic.Shortened(examples, 20, f=0.634)
    sizes = [len(method.choose(e, UNSEEN, generator(e))) for e in range(method.fit_epochs)]
    # 12.68 epochs
    assert sizes == [100] * 12 + [68]
    assert [method.share(epoch) for epoch in (0, 6.34, 13)] == [0, 0.5, 1]
    assert kp.dynamic.Shortened(examples, 30, f=0.1).fit_epochs == 3


# All of them


@pytest.mark.parametrize("name", kp.dynamic.METHODS)
def test_a_method_has_a_name_and_its_options(examples, name):
    method = kp.dynamic.get(name, examples, 20, seed=3)
    assert type(method) is kp.dynamic.METHODS[name] and method.name == name
    again = kp.dynamic.get({"name": name, **method.get_config()}, examples, 20, seed=3)
    assert again.get_config() == method.get_config()
    for epoch in (0, 1, 5, 19):
        losses = UNSEEN if epoch == 0 else losses_of(seed=epoch)
        for seed in (0, 1):
            first, second = (m.choose(epoch, losses, generator(seed)) for m in (method, again))
            first, second = (c[0] if isinstance(c, tuple) else c for c in (first, second))
            np.testing.assert_array_equal(first, second)
            assert len(set(first.tolist())) == len(first) <= 100


@pytest.mark.parametrize(
    "name, options",
    [
        ("rs2", {"f": 0}),
        ("rs2", {"f": 0.001}),
        ("infobatch", {"r": 1}),
        ("infobatch", {"delta": 1.1}),
        ("infobatch", {"loss": "mean"}),
        ("seta", {"groups": 0}),
        ("seta", {"window": 0}),
        ("seta", {"r": -0.1}),
        ("orderdp", {"a": 0.3, "f": 0.5}),
        ("shortened", {"f": 2}),
        ("rs2", {"share": 0.3}),
        ("rs3", {}),
        (3, {}),
    ],
)
def test_wrong_options_are_refused(examples, name, options):
    with pytest.raises(InputError, match="Expected .* Received: "):
        kp.dynamic.get({"name": name, **options}, examples, 20)


@pytest.mark.parametrize("wrong", [0, 2.5, None, "ten"])
def test_a_wrong_length_is_refused(examples, wrong):
    with pytest.raises(InputError, match="Invalid `epochs`"):
        kp.dynamic.RS2(examples, wrong)
    with pytest.raises(InputError, match="Invalid `examples`"):
        kp.dynamic.RS2(wrong, 10)
