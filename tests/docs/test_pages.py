"""Executes every page of the documentation and checks its claims."""

import contextlib
import re

import keras
import numpy as np
import pytest
from support.pages import NAMES, ROOT, Page

import keras_pruning as kp
from keras_pruning.scores import SCORES


def user_variables():
    """Returns the arrays and the model that README expects its reader to have."""
    layers = [keras.Input((6,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = np.random.default_rng(0).normal(size=(90, 6)).astype("float32")
    return {"x_train": x, "y_train": np.arange(90) % 3, "model": model}


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Returns a function that executes a page once and gives its results again."""
    results = {}

    def execute(name):
        if name not in results:
            folder = tmp_path_factory.mktemp("page")
            given = user_variables() if name == "README.md" else {}
            results[name] = Page(name).execute(folder, given)
        return results[name]

    return execute


@pytest.mark.parametrize("name", NAMES)
def test_code_runs_and_prints_what_comments_say(name, executed):
    result = executed(name)
    assert result.printed == Page(name).printed
    assert set(result.exit_codes) <= {0}


@pytest.mark.parametrize("name", NAMES)
def test_links_and_configs_exist(name):
    page = Page(name)
    missing = [target for target in page.links if not (page.path.parent / target).exists()]
    missing += [config for config in page.configs if not (ROOT / config).is_file()]
    assert not missing


@pytest.mark.parametrize("name", NAMES)
def test_blocks_have_a_known_language(name):
    known = {"python", "console", "yaml", "text", "{toctree}", "{include}", "{eval-rst}"}
    assert {block.language for block in Page(name).blocks} <= known


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_in_a_table_of_contents(name):
    if name in ("README.md", "docs/index.md"):
        return
    contents = "".join(
        block.text for block in Page("docs/index.md").blocks if block.language == "{toctree}"
    )
    assert name.removeprefix("docs/").removesuffix(".md") in contents.split()
