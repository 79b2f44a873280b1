import json
import re

import pytest
from support.fake_runs import epoch_logs, write_run
from support.html_pages import CHROMIUM, HOSTILE, after_scripts, require_sound

from keras_pruning.comparison.runs import Run
from keras_pruning.reports.html.charts import styles
from keras_pruning.reports.html.comparison.dynamic import dynamic_section
from keras_pruning.reports.html.page import page_text

KEPT = {0: [(600, 400), (300, 400), (150, 150), (600, 400)], 1: [(600, 400), (200, 300)] * 2}


def runs_of(folder, method="infobatch", name="infobatch", seeds=(0, 1), fraction=1.0, kept=KEPT):
    """Returns runs that prune while training."""
    config = {
        "dataset": {"name": "digits", "fraction": fraction},
        "model": {"name": "mlp"},
        "training": {"epochs": 4, "dynamic": {"name": name}},
    }
    made = []
    for seed in seeds:
        epochs = epoch_logs(kept[seed])
        path = folder / f"{name}-{fraction}"
        changes = {"epochs": epochs, "class_examples": [600, 400], "config": config}
        metrics = write_run(path, 0.9, seed=seed, **changes) | {"examples_kept": 1000}
        made.append(Run(path, method, fraction, 0.7, metrics))
    return made


def page_of(runs, names=None):
    text = page_text("title", [dynamic_section(runs, {}, names or {})])
    return require_sound(text), re.sub(r"\s+", " ", require_sound(text).text)


def test_static_runs_have_no_section(tmp_path):
    static = Run(tmp_path, "full", 1.0, 1.0, write_run(tmp_path, 0.9))
    assert dynamic_section([static], {}, {}) is None


def test_the_curve_is_the_mean_over_seeds(tmp_path):
    page, text = page_of(runs_of(tmp_path))
    lines, points = (layer["data"]["values"] for layer in json.loads(page.data[0])["layer"])
    assert [(line["x"], line["y"]) for line in lines] == [(1, 100), (2, 60), (3, 65), (4, 75)]
    assert [(point["x"], point["Kept"]) for point in points][1] == (2, "60.0 %")
    assert "1 100.0 2 60.0 3 65.0 4 75.0 all 75.0" in text


def test_classes_are_pooled_over_epochs_and_seeds(tmp_path):
    _, text = page_of(runs_of(tmp_path), {1.0: ["zero", "one"]})
    # (1650 + 1600) of 8 · 600, (1350 + 1400) of 8 · 400
    assert "zero 67.7 one 85.9" in text


def test_an_empty_class_has_a_dash(tmp_path):
    runs = runs_of(tmp_path, seeds=[0])
    runs[0].metrics["class_examples"] = [600, 400, 0]
    for log in runs[0].metrics["epochs"]:
        log["class_kept"].append(0)
    assert "1 84.4 2 –" in page_of(runs)[1]


def test_losses_are_those_of_the_middle_epoch(tmp_path):
    page, text = page_of(runs_of(tmp_path))
    assert "infobatch: examples by the loss that epoch 3 of 4 decided by" in text
    assert "(seed 0). 535 examples had no loss yet." in text
    bars = json.loads(page.data[1])["data"]["values"]
    assert [(bar["all examples"], bar["kept"]) for bar in bars[14:16]] == [(16, 0), (15, 15)]
    assert "1.5 1.6 15 15 100.0" in text


def test_an_epoch_without_losses_has_no_histogram(tmp_path):
    page, _ = page_of(runs_of(tmp_path, seeds=[0], kept={0: [(600, 400)]}))
    assert len(page.data) == 1


def test_baselines_are_left_out_beside_other_methods(tmp_path):
    runs = runs_of(tmp_path, "rs2-f=0.7", "rs2")
    assert "rs2-f=0.7" in page_of(runs)[1]
    _, text = page_of(runs + runs_of(tmp_path))
    assert "rs2-f=0.7" not in text and "The baselines rs2 and shortened are left out" in text


def test_each_data_fraction_has_its_own_part(tmp_path):
    page, text = page_of(runs_of(tmp_path) + runs_of(tmp_path, fraction=0.5))
    assert "100 % of the data" in text and "50 % of the data" in text
    assert len(page.data) == 4


def test_methods_keep_their_style(tmp_path):
    looks = {look.name: look for look in styles(["other", "infobatch"])}
    section = dynamic_section(runs_of(tmp_path), looks, {})
    (part,) = section.context["parts"]
    assert part["charts"][0].legend == [looks["infobatch"]]


def test_many_epochs_and_classes_stay_small(tmp_path):
    (run,) = runs_of(tmp_path, seeds=[0], kept={0: [[10 + n for n in range(200)]] * 300})
    run.metrics["class_examples"] = [300] * 200
    run.metrics["examples_kept"] = 60_000
    (part,) = dynamic_section([run], {}, {}).context["parts"]
    assert len(part["classes"].rows) == 50 and part["left_out"] == "50 of 200 classes"
    assert part["classes"].rows[0] == ["0", "3.3"]
    assert len(page_text("title", [dynamic_section([run], {}, {})])) < 1_100_000
    assert part["charts"][0].svg.count('transform="translate') < 60


def test_hostile_names_are_shown_and_not_obeyed(tmp_path):
    page, text = page_of(runs_of(tmp_path, HOSTILE), {1.0: [HOSTILE, "b"]})
    shown = "<script>alert(1)</script></style>\"'&<!--{{ 7*7 }}\\u202edesrever"
    assert text.count(shown) > 5 and len(page.scripts) == 4


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_charts_are_drawn_in_a_browser(tmp_path):
    runs = runs_of(tmp_path) + runs_of(tmp_path, "seta", "seta")
    path = tmp_path / "page.html"
    path.write_text(page_text("title", [dynamic_section(runs, {}, {})]), encoding="utf-8")
    page, console = after_scripts(path, tmp_path / "browser")
    assert console == []
    assert page.count('class="marks"') == 3 and '<div class="static">' not in page
