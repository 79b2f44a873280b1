"""The contract of policies and quotas: a new one is an entry of its registry and nothing else."""

import json

import numpy as np
import pytest
from support.new_policies import OPTIONS, Floor, Outer, table
from support.small import digits, run

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.selection import POLICIES, QUOTAS, Policy, get, quotas
from keras_pruning.selection.candidates import NEEDS, Candidates
from keras_pruning.selection.methods import method_name
from keras_pruning.selection.quotas.quota import Quota

# Small subsets of unequal classes: tests/selection/test_lost_classes.py has the warning.
pytestmark = pytest.mark.filterwarnings("ignore:The policy .* keeps no example")


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(POLICIES, "outer", Outer)
    monkeypatch.setitem(QUOTAS, "floor", Floor)


@pytest.fixture
def examples():
    return digits(144)


@pytest.fixture
def vectors(examples):
    return np.random.default_rng(1).normal(size=(len(examples), 5)).astype("float32")


@pytest.fixture
def file(vectors, tmp_path):
    np.save(tmp_path / "vectors.npy", vectors)
    return tmp_path / "vectors.npy"


def test_the_same_policy_in_every_form_selects_the_same(examples, vectors, file):
    scores = table(examples)
    subsets = [
        kp.select(scores, "el2n", 0.25, policy, embedding=embedding)
        for policy, embedding in [(OPTIONS, vectors), (Outer(2), str(file)), (Outer(2), file)]
    ]
    value = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)
    value += 2 * scores["el2n"] * scores["confidence"]
    for subset in subsets:
        np.testing.assert_array_equal(subset.mask, value >= np.sort(value)[-36])
        assert subset.selection == subsets[0].selection
    assert subsets[0].selection["policy"] == "outer"
    assert subsets[0].selection["policy_options"] == {"weight": 2}
    assert method_name(subsets[0].selection) == "el2n-outer-weight=2"


def test_another_embedding_or_option_is_another_recipe(examples, vectors):
    arguments = [(vectors, 2), (vectors + 1, 2), (vectors, 3)]
    recipes = [
        kp.select(table(examples), "el2n", 0.25, Outer(weight), embedding=embedding).selection
        for embedding, weight in arguments
    ]
    assert [recipe in recipes[:number] for number, recipe in enumerate(recipes)] == [False] * 3
    assert json.loads(json.dumps(recipes)) == recipes


def test_a_saved_subset_has_its_options(examples, vectors, tmp_path):
    subset = kp.select(
        table(examples), "el2n", 0.25, OPTIONS, {"name": "floor", "least": 2}, 0, vectors
    )
    subset.save(tmp_path / "subset.parquet")
    loaded = kp.Subset.load(tmp_path / "subset.parquet").selection
    assert loaded == subset.selection
    assert method_name(loaded) == "el2n-outer-weight=2-floor-least=2"
    assert np.bincount(subset.kept_labels, minlength=10).min() >= 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"'outer' needs a score and an embedding. Expected `by`.*Received: by=None, embedd"),
        ({"by": "el2n"}, "'outer' needs an embedding. Expected `embedding`, an array.*=None"),
        ({"policy": {"name": "outer", "wait": 1}}, r"options of the policy 'outer'. Expected some"),
        ({"policy": {"name": "random", "beta": 1}}, "policy 'random'. Expected none. Received"),
        ({"policy": {"beta": 1}}, "Unknown policy. Expected one of.*Received: {.beta"),
        ({"policy": 3}, "Unknown policy. Expected one of.*Received: 3"),
        ({"quota": {"name": "floor", "most": 1}}, "Invalid options of the quota 'floor'"),
        ({"quota": {"least": 1}}, "Unknown quota"),
        ({"keep_fraction": 0.95}, "Expected at most 0.9"),
        ({"embedding": "vectors.csv"}, "Invalid `embedding`. Expected an array.*Received"),
        ({"by": "el2n", "embedding": "none.npy"}, "Missing embedding file"),
        ({"by": "el2n", "embedding": np.zeros((9, 2))}, "Expected 144 rows.*Received: 9 rows"),
        ({"by": "el2n", "embedding": np.zeros(144)}, r"Expected numbers of shape \(examples, dim"),
        ({"by": "el2n", "embedding": np.full((144, 2), np.nan)}, "first in row 0"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_selected(arguments, message, examples):
    arguments = {"keep_fraction": 0.5, "policy": "outer", **arguments}
    with pytest.raises(InputError, match=message):
        kp.select(table(examples), **arguments)


def test_a_table_without_the_needed_score_is_refused(examples, vectors):
    scores = kp.ScoreTable(
        examples.ids,
        examples.labels,
        {"el2n": np.zeros(144)},
        metadata={"scores": {"el2n": {"higher_is_harder": True}}},
    )
    with pytest.raises(InputError, match="the score `confidence`. Expected it in the table"):
        kp.select(scores, "el2n", 0.5, "outer", embedding=vectors)


@pytest.mark.parametrize("need", NEEDS)
def test_a_policy_sees_only_the_arrays_that_it_needs(need, examples, vectors):
    class Greedy(Policy):
        name = "greedy"
        needs = tuple(other for other in NEEDS if other != need)

        def choose(self, candidates, count, rng):
            for name in self.needs:
                assert len(getattr(candidates, name)) == len(candidates) == 144
            return getattr(candidates, need)

    with pytest.raises(InputError, match=f"Expected '{need}' in its `needs`"):
        kp.select(table(examples), "el2n", 0.5, Greedy(), embedding=vectors)


def test_candidates_at_rows():
    arrays = {"difficulty": np.arange(4.0), "embedding": np.arange(8.0).reshape(4, 2)}
    part = Candidates(4, arrays).at(np.array([3, 1]))
    assert len(part) == 2
    np.testing.assert_array_equal(part.difficulty, [3, 1])
    np.testing.assert_array_equal(part.embedding, [[6, 7], [2, 3]])


@pytest.mark.parametrize("needs", ["difficulty", ("hidden",), ["labels"]])
def test_unknown_needs_are_refused_at_class_definition(needs):
    with pytest.raises(InputError, match="Invalid `needs` of Wrong. Expected a tuple out of"):
        type("Wrong", (Policy,), {"needs": needs})


@pytest.mark.parametrize("positions", [[0, 0], [0], [0, 144], [-1, 0]])
def test_a_wrong_choice_of_a_policy_is_refused(positions, examples):
    class Wrong(Policy):
        name = "wrong"
        needs = ()

        def choose(self, candidates, count, rng):
            return positions

    with pytest.raises(InputError, match="'wrong' did not choose.*Expected 2 different positions"):
        kp.select(table(examples), None, 2 / 144, Wrong())


@pytest.mark.parametrize("name", POLICIES)
def test_config_makes_the_same_policy_again(name):
    policy = get(name)
    assert get({"name": name, **policy.get_config()}).get_config() == policy.get_config()


def test_a_quota_may_be_an_instance(examples):
    class FirstClass(Quota):
        name = "first_class"

        def counts(self, available, total, rng):
            return np.array([total] + [0] * 9)

    subset = kp.select(table(examples), None, 0.05, "random", FirstClass())
    assert set(subset.kept_labels) == {0}
    assert method_name(subset.selection) == "random-first_class"
    assert quotas.get(None) is None
    with pytest.raises(InputError, match="Unknown quota. Expected one of .*'balanced'"):
        kp.select(table(examples), None, 0.05, "random", lambda *arguments: [1])


@pytest.mark.parametrize("counts", [[1] * 9, [36] + [0] * 9, [-1, 9] + [0] * 8, [1] * 10])
def test_impossible_counts_of_a_quota_are_refused(counts, examples):
    class Impossible(Quota):
        name = "impossible"

        def counts(self, available, total, rng):
            return counts

    with pytest.raises(InputError, match="'impossible' gives impossible counts. Expected one"):
        kp.select(table(examples), None, 8 / 144, "random", Impossible())


@pytest.mark.parametrize("value", [object(), {1, 2}])
def test_options_that_cannot_be_recorded_are_refused(value, examples):
    class Own(Policy):
        name = "own_option"

        def __init__(self, value):
            self.value = value

    with pytest.raises(InputError, match="Cannot record the options. Expected numbers"):
        kp.select(table(examples), "el2n", 0.5, Own(value))


def test_equal_numbers_have_one_name():
    plain = {"by": "el2n", "policy": "own", "quota": None}
    names = [method_name({**plain, "policy_options": {"weight": weight}}) for weight in (2, 2.0)]
    assert names == ["el2n-own-weight=2"] * 2


@pytest.mark.parametrize("name", POLICIES)
def test_options_at_their_defaults_are_left_out_of_the_name(name):
    options = get(name).get_config()
    selection = {"by": None, "policy": name, "policy_options": options, "quota": None}
    assert method_name(selection) == name
    for option in options:
        changed = method_name({**selection, "policy_options": {**options, option: 0.123}})
        assert changed == f"{name}-{option}=0.123"


def test_option_values_are_safe_in_the_names_of_folders():
    selection = {"by": None, "policy": "p", "quota": None}
    names = [
        method_name({**selection, "policy_options": {"o": value}})
        for value in (0.1, True, None, "a", "../a", ".._a", [1, 2], "x" * 300)
    ]
    assert names[:4] == ["p-o=0.1", "p-o=true", "p-o=null", "p-o=a"]
    assert len(set(names)) == len(names)
    assert not any("/" in name or len(name) > 60 for name in names)


def test_a_new_policy_on_the_command_line(examples, file, tmp_path, capsys):
    table(examples).save(tmp_path / "scores.parquet")
    arguments = ["--scores", tmp_path / "scores.parquet", "--by", "el2n", "--keep-fraction", 0.25]
    output = tmp_path / "subset.parquet"
    arguments += ["--output", output, "--quota", "{name: floor, least: 2}", "--embedding", file]
    assert run("prune", *arguments, "--policy", "{name: outer, weight: 2}") == 0
    selected = kp.select(
        table(examples), "el2n", 0.25, OPTIONS, {"name": "floor", "least": 2}, embedding=file
    )
    np.testing.assert_array_equal(kp.Subset.load(output).mask, selected.mask)
    assert run("prune", *arguments, "--policy", "{name: outer, weight: 2.0}") == 0
    assert "Reused" in capsys.readouterr().out
    assert run("prune", *arguments, "--policy", "outer") == 2
    assert "selection.policy_options.weight: " in capsys.readouterr().err
