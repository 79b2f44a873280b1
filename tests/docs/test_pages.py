"""Executes every page of the documentation and checks its claims."""

import dataclasses
import functools
import re

import keras
import numpy as np
import pytest
from support.pages import NAMES, ROOT, Page

import keras_pruning as kp
from keras_pruning.cli import make_parser
from keras_pruning.config import Config
from keras_pruning.scores import SCORES

# Pages that train a model or run a command take seconds.
EXECUTED = [
    pytest.param(name, marks=pytest.mark.slow) if Page(name).is_slow else name for name in NAMES
]


# Begins the comment behind a `print` whose numbers vary.
EXAMPLE = "for example "


def without_numbers(text):
    return re.sub(r"\d+(\.\d+)?", "0", text)


def user_variables():
    """Returns the arrays and the model that README expects its reader to have."""
    # Without a seed, the hardest half of so few random examples may lack a class.
    keras.utils.set_random_seed(0)
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


@pytest.mark.parametrize("name", EXECUTED)
def test_code_runs_and_prints_what_comments_say(name, executed):
    result = executed(name)
    claimed = Page(name).printed
    assert len(result.printed) == len(claimed)
    for printed, claim in zip(result.printed, claimed, strict=True):
        if claim.startswith(EXAMPLE):
            # Other numbers on another machine
            assert without_numbers(printed) == without_numbers(claim.removeprefix(EXAMPLE))
        else:
            assert printed == claim
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


def modes(table):
    """Returns the mode of each score of a table."""
    return {name: table.metadata["scores"][name]["mode"] for name in table.names}


def table_rows(text):
    """Returns the cells of each Markdown table row that begins with a name in backticks."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}


@pytest.mark.slow
def test_readme_trains_for_ten_epochs_and_keeps_half(executed):
    variables = executed("README.md").variables
    assert len(variables["smaller"]) == 45
    assert variables["model"].optimizer.iterations == 10 * 2


def test_readme_is_for_the_first_five_minutes():
    prose = re.sub(r"```.*?```", "", Page("README.md").text, flags=re.DOTALL)
    assert 600 <= len(prose.split()) <= 900


def test_readme_lists_every_score_as_it_is():
    rows = table_rows(Page("README.md").text)
    assert list(rows) == sorted(SCORES, key=list(rows).index)
    for name, score in SCORES.items():
        _, hard, taken_from = rows[name]
        assert hard == ("high" if score.higher_is_harder else "low")
        assert taken_from.endswith("training steps") == (score.mode == "train")


@pytest.mark.parametrize(
    "path", ["README.md", *(f"configs/{n}.yaml" for n in ("digits", "fashion_mnist"))]
)
def test_accuracies_are_those_of_the_studies(path):
    studies = Page("docs/getting_started.md").text + Page("docs/fashion_mnist.md").text
    text = re.sub(r"\n#? *", " ", (ROOT / path).read_text())
    accuracies = re.findall(r"\d+\.\d\d ± \d\.\d\d", text)
    assert accuracies
    assert not [accuracy for accuracy in accuracies if accuracy not in studies]


@pytest.mark.slow
def test_own_fit_scores_in_eval_mode(executed):
    result = executed("docs/data_and_models/own_fit.md")
    table, examples = result.variables["table"], result.variables["examples"]
    assert set(modes(table).values()) == {"eval"}
    np.testing.assert_array_equal(table.ids, examples.ids)
    saved = kp.ScoreTable.load(result.folder / "scores.parquet")
    for name in table.names:
        np.testing.assert_array_equal(saved[name], table[name])
    kept = table["el2n"][result.variables["subset"].mask]
    assert kept.min() >= np.quantile(table["el2n"], 0.29)


@pytest.mark.slow
def test_own_train_step_scores_plain_examples(executed):
    variables = executed("docs/data_and_models/own_train_step.md").variables
    assert type(variables["mixup"]).train_step is not keras.Model.train_step
    table = variables["mixup_table"]
    assert modes(table) == {"el2n": "eval", "forgetting": "eval"}
    assert table.metadata["scores"]["forgetting"]["epochs"] == [1, 2, 3, 4]
    # Scores of mixtures at the start of training would be larger.
    assert 0.1 < table["el2n"].mean() < 1.2


@pytest.mark.slow
def test_recording_scores_in_train_mode(executed):
    result = executed("docs/data_and_models/recording.md")
    expected = {"forgetting": "train", "aum": "train", "confidence": "train", "el2n": "eval"}
    assert modes(result.variables["recorded_table"]) == expected
    trained = keras.saving.load_model(result.folder / "trained.keras", compile=False)
    examples = result.variables["examples"]
    predicted = trained.predict(examples.batches(64), verbose=0).argmax(axis=1)
    assert (predicted == examples.labels).mean() > 0.8


def test_recording_names_the_scores_of_train_mode():
    sentence = re.search(
        r"Train mode exists for (.*?)\. ", Page("docs/data_and_models/recording.md").text, re.DOTALL
    )
    named = re.findall(r"`(\w+)`", sentence[1])
    assert sorted(named) == sorted(name for name in SCORES if SCORES[name].mode == "train")


@pytest.mark.slow
def test_checkpoints_are_those_that_keras_saved(executed):
    result = executed("docs/data_and_models/checkpoints.md")
    saved = sorted(path.name for path in (result.folder / "checkpoints").iterdir())
    assert saved == [f"epoch-{epoch:02d}.keras" for epoch in (1, 2, 3, 4)]
    scores = result.variables["checkpoint_table"].metadata["scores"]
    assert scores["el2n"]["epochs"] == [1]
    assert scores["vog"]["epochs"] == [1, 2, 3, 4]
    assert set(modes(result.variables["checkpoint_table"]).values()) == {"eval"}


@pytest.mark.slow
def test_checkpoints_score_alike_on_the_command_line(executed):
    result = executed("docs/data_and_models/checkpoints.md")
    output = result.folder / "runs" / "checkpoints"
    files = {path.name for path in output.iterdir()}
    assert files == {"scores.parquet", "scores.csv", "scoring.json", "report.html"}
    table = kp.ScoreTable.load(output / "scores.parquet")
    assert len(table) == 1500
    for name in ("el2n", "vog"):
        # Another process may have another number of threads, and so other last bits.
        expected = result.variables["checkpoint_table"][name]
        np.testing.assert_allclose(table[name], expected, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_config_keys_exist(name):
    sections = dataclasses.asdict(Config())
    named = re.findall(r"(?<![\w.])(\w+)\.(\w+)\b", " ".join(code_spans(name)))
    keys = {(section, key) for section, key in named if isinstance(sections.get(section), dict)}
    keys -= {("model", "fit"), ("model", "keras")}  # a method and a file
    assert not [(section, key) for section, key in keys if key not in sections[section]]


def code_spans(name):
    """Returns the code in backticks of a page, and its command lines."""
    page = Page(name)
    return [*re.findall(r"`([^`\n]+)`", page.text), *page.commands]


@pytest.mark.parametrize("name", NAMES)
def test_yaml_blocks_are_valid_configs(name, tmp_path):
    for block in Page(name).blocks:
        if block.language == "yaml":
            path = tmp_path / "page.yaml"
            path.write_text(block.text)
            parser = make_parser()
            parser.instantiate(parser.parse_args(["score", "--config", str(path)]))


@pytest.mark.parametrize("name", NAMES)
def test_named_benchmarks_exist(name):
    named = set(re.findall(r"benchmarks/\w+\.py", Page(name).text))
    assert not [path for path in named if not (ROOT / path).is_file()]


def test_api_pages_document_every_public_name():
    api = "".join(Page(name).text for name in NAMES if name.startswith("docs/api/"))
    documented = re.findall(r"auto\w+:: keras_pruning\.(\S+)", api)
    modules = {"scores", "selection", "dynamic"}
    assert set(kp.__all__) - modules <= set(documented)
    for name in kp.__all__:  # Importing them makes their modules attributes
        getattr(kp, name)
    for path in documented:
        assert callable(functools.reduce(getattr, path.split("."), kp)), path


def test_llms_index_lists_every_page():
    links = re.findall(r"\]\((\S+)\.html\)", (ROOT / "docs" / "llms.txt").read_text())
    pages = {name.removeprefix("docs/").removesuffix(".md") for name in NAMES} - {"README"}
    assert set(links) == pages - {"index", "contributing", "changelog"}


def test_changelog_has_the_version_of_the_package():
    assert f"\n## {kp.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_study_has_as_many_runs_as_its_config():
    parser = make_parser()
    arguments = ["sweep", "--config", str(ROOT / "configs" / "fashion_mnist.yaml")]
    sweep = parser.instantiate(parser.parse_args(arguments))["sweep"].sweep
    runs = sweep.seeds * (1 + len(sweep.keep_fractions) * (1 + len(sweep.methods)))
    assert f"then trains {runs} models" in Page("docs/fashion_mnist.md").text
