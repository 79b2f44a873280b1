"""Messages about two recipes that differ, in the words of the config."""

import dataclasses

import pytest

from keras_pruning.config import Config, DatasetConfig, ModelConfig, ProbeConfig
from keras_pruning.errors import InputError
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.recipes import require_same_recipe


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {"scores": ["el2n", "aum"]},
            [
                'scores.vog: recorded {"every": 1, "seeds": [0]}, requested none',
                'scores.aum: recorded none, requested {"seeds": [0, 1]}',
            ],
        ),
        (
            {"probe": ProbeConfig(epochs=2, seeds=1)},
            [
                "probe.seeds: recorded [0, 1], requested [0]",
                "scores.el2n.seeds: recorded [0, 1], requested [0]",
            ],
        ),
        (
            {"scores": ["el2n", {"name": "vog", "every": 1, "seeds": 2}]},
            ["scores.vog.seeds: recorded [0], requested [0, 1]"],
        ),
        (
            {"scores": [{"name": "el2n", "epoch": 2}, {"name": "vog", "every": 1, "seeds": 1}]},
            ["scores.el2n.epoch: recorded null, requested 2"],
        ),
    ],
)
def test_other_scores_are_named_as_in_the_config(changes, lines):
    scores = ["el2n", {"name": "vog", "every": 1, "seeds": 1}]
    probe = ProbeConfig(epochs=2, seeds=2)
    first = Config(DatasetConfig(fraction=0.1), ModelConfig("mlp", 8), probe, scores)
    second = dataclasses.replace(first, **changes)
    recipes = [ScoringPlan.from_config(config).recipe for config in (first, second)]
    require_same_recipe("out", recipes[0], recipes[0])
    for sections in (recipes, [{"recipe": recipe} for recipe in recipes]):
        with pytest.raises(InputError) as error:
            require_same_recipe("out", *sections)
        shown = str(error.value).splitlines()[1:-1]
        assert [line.strip().removeprefix("recipe.") for line in shown] == lines
        assert "scores_of_each_seed" not in str(error.value)


def test_another_order_of_scores_is_shown():
    orders = [[{"name": "el2n"}, {"name": "vog"}], [{"name": "vog"}, {"name": "el2n"}]]
    recipes = [{"probe": {}, "scores_of_each_seed": {"0": order}} for order in orders]
    with pytest.raises(InputError, match=r"scores_of_each_seed.0: recorded \[{.name.: .el2n.}"):
        require_same_recipe("out", *recipes)


@pytest.mark.parametrize("by_seed", [3, [], {"x": []}, {"0": 3}, {"0": [{}]}, {"0": [[]]}, None])
@pytest.mark.parametrize("probe", [{}, None, 3])
def test_recipes_that_are_not_ours_are_shown_as_they_are(by_seed, probe):
    recorded = {"probe": probe, "scores_of_each_seed": by_seed}
    requested = {"probe": {"epochs": 2}, "scores_of_each_seed": {"0": [{"name": "el2n"}]}}
    for sections in ((recorded, requested), ({"recipe": recorded}, {"recipe": requested})):
        with pytest.raises(InputError, match="another recipe. Nothing was overwritten"):
            require_same_recipe("out", *sections)
