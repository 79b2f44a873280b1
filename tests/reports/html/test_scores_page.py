"""The page of a score table: its sections, its numbers, and when it may be written."""

import json
import re

import numpy as np
import pytest
from support.scored import HOSTILE, read, table

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.reports.html.agreement import agreement_section
from keras_pruning.reports.html.data_map import data_map_section, regions
from keras_pruning.reports.html.distributions import distribution_section, histogram
from keras_pruning.reports.html.page import page_text


@pytest.fixture
def examples():
    x = np.random.default_rng(0).integers(0, 256, (60, 6, 6, 1), "uint8")
    return kp.Examples.from_arrays(x, np.arange(60) % 3, class_names=["cat", "dog", "owl"])


def scores(examples, **others):
    rng = np.random.default_rng(1)
    return table(examples.labels, {"el2n": rng.random(60), **others}, examples=examples)


def headings(text):
    return re.findall(r'<h2 id="\S+">(.*?)</h2>', text)


def test_a_page_of_everything(examples, tmp_path):
    rng = np.random.default_rng(2)
    made = scores(examples, confidence=rng.random(60), variability=rng.random(60) / 2)
    path = tmp_path / "new" / "report.html"
    kp.write_report(path, made, examples)
    text = path.read_text()
    assert headings(text) == [
        "Scores",
        "Hardest and easiest examples",
        "Data map",
        "Distribution of the scores",
        "Agreement of the scores",
        "How to reproduce it",
    ]
    assert examples.fingerprint in text
    assert not re.search(r'(src|href)="(https?:)?//', text)
    # Another page of the same path is a new view of the same kind.
    kp.write_report(path, made)
    assert path.read_text() != text


def test_a_table_of_one_constant_score_alone(tmp_path):
    made = table([0], {"el2n": [0.25]})
    kp.write_report(tmp_path / "report.html", made)
    page = read((tmp_path / "report.html").read_text())
    assert "1 score of 1 example: el2n." in page.text


def test_another_file_is_not_overwritten(examples, tmp_path):
    made, path = scores(examples), tmp_path / "report.html"
    for text in ("mine", "<!doctype html><title>mine</title>"):
        path.write_text(text)
        with pytest.raises(InputError, match=r"not overwritten. Expected .*: another file"):
            kp.write_report(path, made, examples)
        assert path.read_text() == text
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match=r"Received: a folder"):
        kp.write_report(path, made, examples)
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_other_examples_are_an_error(examples, tmp_path):
    others = kp.Examples.from_arrays(np.zeros((60, 6, 6, 1), "uint8"), examples.labels)
    with pytest.raises(InputError, match=r"score table was made from other examples.*Received"):
        kp.write_report(tmp_path / "report.html", scores(examples), others)
    suspects = kp.suspects(scores(others), others)
    with pytest.raises(InputError, match=r"score table was made from other examples.*Received"):
        kp.write_report(tmp_path / "report.html", scores(examples), examples, suspects)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_table_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"nothing to report.*Expected.*Received"):
        kp.write_report(tmp_path / "report.html", table([], {"el2n": []}))


def test_suspects_are_on_the_page(examples, tmp_path):
    made = scores(examples)
    suspects = kp.suspects(made, examples, predictions=(examples.labels + 1) % 3, count=9)
    kp.write_report(tmp_path / "report.html", made, examples, suspects)
    page = read((tmp_path / "report.html").read_text())
    assert page.text.count("Suspected mislabelled") == len(set(examples.labels[suspects.rows]))
    assert page.text.count(", or ") == 9


def test_hostile_metadata_stay_text(tmp_path):
    made = table([0, 1], {"el2n": [1.0, 2.0]}, ids=HOSTILE[:2])
    metadata = {
        **made.metadata,
        "examples": {"source": HOSTILE[2]},
        "recipe": {"model": HOSTILE[0]},
    }
    metadata["reliability"] = {"el2n": {"seeds": HOSTILE[0]}}
    metadata["scores"]["el2n"] |= {"mode": HOSTILE[1], "epochs": HOSTILE}
    hostile = kp.ScoreTable(made.ids, made.labels, {"el2n": [1.0, 2.0]}, metadata=metadata)
    for name, content in (("a", made), ("b", hostile)):
        kp.write_report(tmp_path / name, content)
    first, second = (read((tmp_path / name).read_text()).elements for name in "ab")
    assert [tag for tag, _ in first] == [tag for tag, _ in second]


def test_regions_of_the_data_map_by_hand():
    confidence = np.array([0.9, 0.5, 0.49, 0.5, 0.1])
    variability = np.array([0.1, 0.24, 0.24, 0.25, 0.3])
    np.testing.assert_array_equal(regions(confidence, variability), [0, 0, 2, 1, 1])


def test_the_data_map_counts_all_and_draws_a_sample():
    rng, count = np.random.default_rng(0), 6000
    confidence = np.r_[np.full(4000, 0.9), np.full(2000, 0.1)]
    made = table(
        rng.integers(0, 3, count), {"confidence": confidence, "variability": np.full(count, 0.1)}
    )
    section = data_map_section(made, HOSTILE[:3])
    (chart,) = section.context["parts"][0]["charts"]
    assert chart.table.rows[0] == ["all examples", "4,000 (66.7 %)", "0 (0.0 %)", "2,000 (33.3 %)"]
    assert [row[0] for row in chart.table.rows[1:]] == HOSTILE[:3]
    points = chart.spec["data"]["values"]
    assert len(points) == 2500 and "2,500 of 6,000 drawn at random (seed 0)" in chart.caption
    rows = [int(point["id"]) for point in points]
    assert [point["x"] for point in points] == confidence[rows].tolist()
    assert len(set(rows)) == 2500
    # Both ends of the rows, so not the first ones
    assert max(rows) > 5900 and 1500 < sum(row < 4000 for row in rows) < 1850
    assert chart.svg.count("h0") == 2500
    assert data_map_section(table([0], {"confidence": [1.0]}), ["a"]) is None


def test_histograms_count_every_example():
    values = np.random.default_rng(0).normal(size=1000)
    counts, edges = histogram(values)
    assert (len(counts), counts.sum()) == (40, 1000)
    assert (edges[0], edges[-1]) == (values.min(), values.max())
    counts, edges = histogram(np.array([0.0, 2, 2, 5]))
    np.testing.assert_array_equal(counts, [1, 0, 2, 0, 0, 1])
    np.testing.assert_array_equal(edges, np.arange(-0.5, 6))
    assert histogram(np.full(7, 0.3))[0].sum() == 7


def test_quantiles_by_hand():
    made = table(np.zeros(101, int), {"aum": np.arange(101.0)}, higher=False)
    (chart,) = distribution_section(made).context["parts"][0]["charts"]
    assert chart.table.rows == [["aum", "lower", "0", "5", "25", "50", "75", "95", "100"]]


def test_agreement_is_of_difficulties():
    metadata = {"scores": {"aum": {"higher_is_harder": False}}}
    metadata["scores"] |= {name: {"higher_is_harder": True} for name in ("el2n", "flat")}
    columns = {"aum": [3.0, 2.0, 1.0], "el2n": [1.0, 2.0, 5.0], "flat": [1.0, 1.0, 1.0]}
    made = kp.ScoreTable(range(3), [0, 0, 0], columns, metadata=metadata)
    section = agreement_section(made)
    cells = [[cell["text"] for cell in row["cells"]] for row in section.context["rows"]]
    assert cells == [["1.00", "1.00", "–"], ["1.00", "1.00", "–"], ["–", "–", "–"]]
    assert "nan" not in page_text("T", [section]).lower().replace("finance", "")
    assert agreement_section(table([0], {"a": [1.0]})) is None


def test_charts_have_their_data_as_strict_json(examples, tmp_path):
    kp.write_report(tmp_path / "report.html", scores(examples, other=np.arange(60.0)), examples)
    text = (tmp_path / "report.html").read_text()
    specs = re.findall(r'<script type="application/json" class="spec">(.*?)</script>', text)
    assert len(specs) == 1
    spec = json.loads(specs[0])
    assert {value["score"] for value in spec["data"]["values"]} == {"el2n", "other"}
