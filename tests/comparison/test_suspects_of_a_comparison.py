"""A comparison knows the names of the classes and the suspects that the doctor has listed."""

import numpy as np
from support.fake_runs import EL2N, RANDOM, write_run

import keras_pruning as kp
from keras_pruning.comparison.report import write_comparison
from keras_pruning.wrong_labels.suspect_list import SuspectList


def test_suspects_are_on_the_page(tmp_path):
    digits = kp.load_examples("digits", fraction=0.1)
    metadata = {
        "scores": {"el2n": {"higher_is_harder": True}},
        "examples": digits.provenance,
        "reliability": {"el2n": {"seeds": 1}},
    }
    values = np.random.default_rng(0).random(len(digits))
    kp.ScoreTable(digits.ids, digits.labels, {"el2n": values}, metadata=metadata).save(
        tmp_path / "scores.parquet"
    )
    for seed in (0, 1):
        for method, keep_fraction in ((None, 1.0), (RANDOM, 0.5), (EL2N, 0.5)):
            accuracies = [0.9 + 0.01 * seed] * 10
            write_run(*(tmp_path, 0.9, method, keep_fraction, seed, 0.1), class_accuracy=accuracies)
    asked = []

    def find_suspects(folder, examples):
        asked.append((folder, len(examples)))
        return SuspectList(examples, np.array([3]), "aum", -values)

    write_comparison(tmp_path, find_suspects=find_suspects)
    assert asked == [(tmp_path, len(digits))]
    page = (tmp_path / "comparison" / "report.html").read_text()
    assert f"aum {-values[3]:.4g}" in page
    lines = (tmp_path / "comparison" / "classes.csv").read_text().splitlines()
    assert lines[0].startswith("data_fraction,keep_fraction,method,label,class,kept_share")
    assert ",random,7,7," in "".join(lines)
    write_comparison(tmp_path)
    assert f"aum {-values[3]:.4g}" not in (tmp_path / "comparison" / "report.html").read_text()
