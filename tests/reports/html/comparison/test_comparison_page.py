import json
import re
import types
from dataclasses import replace

import numpy as np
import pytest
import yaml
from support.fake_runs import EL2N, RANDOM, write_dynamic_run, write_run
from support.html_pages import CHROMIUM, HOSTILE, after_scripts, require_sound

from keras_pruning.commands.compare import show_comparison
from keras_pruning.comparison.report import write_comparison
from keras_pruning.config import Config
from keras_pruning.errors import InputError
from keras_pruning.reports.html.comparison.classes import class_section
from keras_pruning.reports.html.comparison.page import write_comparison_page
from keras_pruning.reports.html.page import page_text
from keras_pruning.storage import write_json

VOG = {**EL2N, "by": "vog"}
KEPT = (0.8, 0.4, 0.2, 0.1)


def write_runs(folder, fraction=1.0, kept=KEPT, seeds=4):
    """Writes runs in which EL2N is better than random, VoG is not, and one keeps all accuracy."""
    for seed in range(seeds):
        noise = 0.002 * (seed - 1.5)
        write_run(folder, 0.9 + noise, seed=seed, fraction=fraction)
        for part in kept:
            random = 0.9 - 0.02 / part
            for method, accuracy in ((RANDOM, random), (EL2N, random + 0.06), (VOG, random)):
                write_run(folder, accuracy + noise, method, part, seed, fraction)


def report(folder):
    write_comparison(folder)
    return (folder / "comparison" / "report.html").read_text(encoding="utf-8")


def section(html, id):
    """Returns the HTML of one section."""
    return re.search(rf'<section id="{id}".*?\n</section>', html, re.DOTALL)[0]


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    write_runs(folder)
    return report(folder)


def test_sections_stand_in_the_order_of_their_questions(html):
    page = require_sound(html)
    assert page.ids[::2] == ["verdict", "accuracy", "scaling", "costs", "classes", "recipe"]
    assert len(html) < 1_100_000
    assert "52 runs of the model mlp: 2 methods beside random pruning" in page.text
    # Each chart has a picture without scripts and a specification
    assert html.count('<div class="static"><svg') == len(page.data) == 3
    assert all(json.loads(data)["layer"] for data in page.data)


def test_the_verdict_comes_first_in_words(html):
    text = require_sound(section(html, "verdict")).text
    assert "Better than random pruning: el2n-hardest (keeping 80, 40, 20 and 10 %)." in text
    assert (
        "The smallest subset that keeps full accuracy is 40 % of the examples (400), by "
        "el2n-hardest." in text
    )
    assert "vog-hardest: no difference shown at 80, 40, 20 and 10 %." in text
    assert "adjusted by Holm’s method for the 2 comparisons" in text
    assert "above 0.5 points below zero" in text
    assert text.count("▲ better +6.00") == 4


def test_numbers_of_the_charts_are_those_of_the_rows(html):
    text = re.sub(r"\s+", " ", require_sound(section(html, "accuracy")).text)
    # Student's t of four runs: 3.182 · 0.002582 / 2
    assert "el2n-hardest 40 % 400 91.00 ± 0.41 +1.00 ± 0.45 yes 4" in text
    assert "full 100 % 1,000 90.00 ± 0.41 – – 4" in text
    assert "el2n-hardest 40 % +6.00 ± 0.45" in text


def test_slopes_have_intervals_and_lines(html):
    part = section(html, "scaling")
    spec = json.loads(require_sound(part).data[0])
    lines, points = (layer["data"]["values"] for layer in spec["layer"])
    # Two ends of three lines, five sizes of three methods: the full data are the last
    assert len(lines) == 6 and len(points) == 15
    assert spec["layer"][0]["encoding"]["x"]["scale"]["type"] == "log"
    ends = [line for line in lines if line["method"] == "random"]
    slope = np.log(ends[1]["y"] / ends[0]["y"]) / np.log(ends[1]["x"] / ends[0]["x"])
    assert f"{slope:.3f} ±".replace("-", "−") in part


def test_intervals_of_two_runs_stay_within_possible_accuracies(tmp_path):
    for seed, accuracy in enumerate((0.98, 0.9)):
        write_run(tmp_path, accuracy, seed=seed)
        write_run(tmp_path, accuracy, RANDOM, 0.5, seed)
    part = section(report(tmp_path), "accuracy")
    band, _, _, intervals, _ = json.loads(require_sound(part).data[0])["layer"]
    # Student's t of two runs: 12.706 · 0.05657 / √2
    assert "94.00 ± 50.82" in part
    for layer in (band, intervals):
        (values,) = layer["data"]["values"]
        assert values["low"] == pytest.approx(43.18, abs=0.01) and values["high"] == 100


def test_three_sizes_show_no_law(tmp_path):
    write_runs(tmp_path, kept=(0.4, 0.2), seeds=2)
    assert 'id="scaling"' not in report(tmp_path)


def test_each_data_fraction_has_its_own_charts(tmp_path):
    for fraction in (1.0, 0.5):
        write_runs(tmp_path, fraction, kept=(0.4,), seeds=2)
    html = report(tmp_path)
    require_sound(html)
    for id in ("verdict", "accuracy", "costs", "classes"):
        part = section(html, id)
        assert "<h3>100 % of the data</h3>" in part and "<h3>50 % of the data</h3>" in part
    assert section(html, "accuracy").count('<figure class="chart">') == 4


@pytest.mark.parametrize("methods", [[None], [RANDOM], [EL2N], [None, EL2N], [None, RANDOM]])
def test_a_part_of_the_runs_makes_a_page_too(tmp_path, methods):
    for method in methods:
        for seed in range(1 if len(methods) == 1 else 2):
            write_run(tmp_path, 0.9, method, 0.5 if method else 1.0, seed)
    html = report(tmp_path)
    page = require_sound(html)
    assert page.ids[0] == "verdict" and "nan" not in page.text.split()
    if RANDOM not in methods:
        assert "There is no random pruning to compare with." in page.text


def test_hostile_names_are_shown_and_not_obeyed(tmp_path):
    config = {
        "dataset": {"name": f"csv:{HOSTILE}", "fraction": 1.0},
        "model": {"name": HOSTILE},
        "training": {"epochs": 5},
    }
    for seed in range(2):
        write_run(tmp_path, 0.9, seed=seed, config=config)
        write_run(tmp_path, 0.8 - 0.1 * seed, RANDOM, 0.5, seed, config=config)
        write_run(tmp_path, 0.8, EL2N, 0.5, seed, config=config)
    comparison = write_comparison(tmp_path)

    def renamed(rows):
        """Names of methods cannot be hostile today. A page does not rely on it."""
        names = {"el2n-hardest": HOSTILE}
        return [replace(row, method=names.get(row.method, row.method)) for row in rows]

    comparison = replace(
        comparison,
        rows=renamed(comparison.rows),
        classes=renamed(comparison.classes),
        ledger=renamed(comparison.ledger),
        scaling=renamed(comparison.scaling),
        examples={1.0: types.SimpleNamespace(class_names=[HOSTILE, "b"])},
    )
    write_comparison_page(tmp_path / "page.html", comparison, tmp_path)
    page = require_sound((tmp_path / "page.html").read_text(encoding="utf-8"))
    shown = "<script>alert(1)</script></style>\"'&<!--{{ 7*7 }}\\u202edesrever"
    # In sentences, legends, tables and the config
    assert page.text.count(shown) > 10
    assert len(page.scripts) == 5
    for data in map(json.loads, page.data):
        assert any("<script>alert(1)" in str(layer["data"]) for layer in data["layer"])


def test_the_page_of_somebody_else_stays(tmp_path):
    write_runs(tmp_path, kept=(0.5,), seeds=2)
    # A page of an earlier comparison is replaced
    assert report(tmp_path) == report(tmp_path)
    page = tmp_path / "comparison" / "report.html"
    page.write_text("mine")
    with pytest.raises(InputError, match=r"report\.html exists already and is not overwritten"):
        write_comparison(tmp_path)
    assert page.read_text() == "mine"


def test_the_command_names_the_page(tmp_path):
    write_runs(tmp_path, kept=(0.5,), seeds=2)
    shown = [str(line) for line in show_comparison(write_comparison(tmp_path), tmp_path)]
    assert f"{tmp_path / 'comparison' / 'report.html'}" in shown


def class_rows(labels, methods=("random",), kept=(0.5,)):
    """Returns rows of classes, the last of which lose most."""
    numbers = {
        "data_fraction": 1.0,
        "kept_share": 0.5,
        "accuracy": 0.5,
        "half_width": 0.01,
        "p_adjusted": 1.0,
        "verdict": "not shown",
    }
    return [
        types.SimpleNamespace(
            **numbers, label=label, difference=-0.001 * label, method=method, keep_fraction=part
        )
        for part in kept
        for label in range(labels)
        for method in methods
    ]


def test_many_classes_are_cut_to_the_largest_losses():
    names = {1.0: [f"class {label}" for label in range(200)]}
    (part,) = class_section(class_rows(200), ["random"], names).context["parts"]
    assert part["left_out"] == "50 of 200 classes"
    assert [name for name, _ in part["panels"][0]["rows"]][:2] == ["class 150", "class 151"]
    (part,) = class_section(class_rows(50), ["random"], names).context["parts"]
    assert part["left_out"] == "" and len(part["panels"][0]["rows"]) == 50


def test_many_methods_and_classes_stay_small():
    methods = [f"method {number} of a long name" for number in range(20)]
    rows = class_rows(100, methods, [0.05 * number for number in range(1, 11)])
    text = page_text("title", [class_section(rows, methods, {})])
    require_sound(text)
    assert 300_000 < len(text) < 500_000


def test_the_recipe_is_a_config(tmp_path):
    config = Config().as_dict()
    for seed in range(2):
        write_run(tmp_path, 0.9, seed=seed, config=config)
    page = require_sound(section(report(tmp_path), "recipe"))
    text = page.text[page.text.index("dataset:") : page.text.index("\nVersions")]
    assert Config(**yaml.safe_load(text)).as_dict() == config
    assert "keras-pruning sweep --config report.yaml" in page.text
    assert "Evaluation seeds: 0 and 1." in page.text


def test_the_recipe_tells_seeds_versions_and_single_runs(tmp_path):
    for seed in range(4):
        write_run(tmp_path, 0.9, RANDOM, 0.5, seed)
    for seed in range(2):
        write_run(tmp_path, 0.9, EL2N, 0.5, seed)
    (folder, *_) = sorted(tmp_path.rglob("seed-0"))
    write_json(folder / "recipe.json", {"versions": {"keras": "3.15.1"}})
    text = require_sound(section(report(tmp_path), "recipe")).text
    assert "Evaluation seeds 0 to 3: random." in text
    assert "Evaluation seeds 0 and 1: el2n-hardest." in text
    assert re.search(r"keras\s+3\.15\.1", text)
    # A run in another folder is no part of a sweep
    folder.rename(tmp_path / "single")
    text = require_sound(section(report(tmp_path), "recipe")).text
    assert "keras-pruning train --config report.yaml --subset SUBSET.parquet" in text


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_charts_are_drawn_in_a_browser(tmp_path):
    write_runs(tmp_path / "runs")
    report(tmp_path / "runs")
    page, console = after_scripts(tmp_path / "runs/comparison/report.html", tmp_path / "browser")
    assert console == []
    assert page.count('class="marks"') == 3 and '<div class="static">' not in page
    assert page.count('aria-roledescription="point"') == 12 + 8 + 15
    # Methods of three charts, an axis, and the keep fractions of costs and classes
    assert page.count("<select") == 3 + 1 + 2


def test_only_subsets_can_save_nothing(tmp_path):
    """With the budget of steps. Methods that prune while training train for fewer."""
    data = {"dataset": {"name": "digits", "fraction": 1.0}, "model": {"name": "mlp"}}
    config = {**data, "training": {"budget": "steps", "epochs": 5}}
    for seed in range(2):
        write_run(tmp_path, 0.9, seed=seed, config=config)
        dynamic = {**config, "training": {**config["training"], "dynamic": {"name": "infobatch"}}}
        write_dynamic_run(tmp_path, 0.9, {"name": "infobatch"}, 0.7, seed, config=dynamic)
    assert "saves nothing" not in section(report(tmp_path), "costs")
    for seed in range(2):
        write_run(tmp_path, 0.9, RANDOM, 0.5, seed, config=config)
    assert "training on it saves nothing" in section(report(tmp_path), "costs")
