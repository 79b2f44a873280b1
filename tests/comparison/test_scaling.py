"""Fits of the test error against the examples kept."""

import pytest
from support.fake_runs import EL2N, RANDOM, write_run

from keras_pruning.comparison.report import write_comparison
from keras_pruning.comparison.rows import compare
from keras_pruning.comparison.runs import find_runs
from keras_pruning.comparison.scaling import scaling_of
from keras_pruning.reports.ledger import lines

KEPT = (0.1, 0.2, 0.4, 0.8)
# Deviations from a power law, as factors of the error.
NOISE = (1.01, 0.99, 1.0, 1.005)


def write_law(folder, method, slope, factor=1.0):
    """Writes runs whose mean error is nearly factor · examples^slope."""
    for keep_fraction, noise in zip(KEPT, NOISE, strict=True):
        accuracy = 1 - noise * factor * (1000 * keep_fraction) ** slope
        for seed in range(3):
            write_run(folder, accuracy + 0.001 * (seed - 1), method, keep_fraction, seed)


def curves(folder):
    rows = scaling_of(compare(find_runs(folder)))
    return {(row.data_fraction, row.keep_fraction, row.method): row for row in rows}


def test_a_steeper_slope_bends_the_curve(tmp_path):
    write_law(tmp_path, RANDOM, -0.2)
    write_law(tmp_path, EL2N, -0.5)
    write_law(tmp_path, {**EL2N, "by": "vog"}, -0.2)
    write_law(tmp_path, {**EL2N, "by": "aum"}, -0.05)
    found = curves(tmp_path)
    steep = found[1.0, None, "el2n-hardest"]
    assert steep.sizes == (100, 200, 400, 800)
    assert steep.errors[0] == pytest.approx(1.01 * 100**-0.5)
    assert steep.slope == pytest.approx(-0.5, abs=0.01)
    assert steep.factor == pytest.approx(1, abs=0.05)
    assert steep.bends is True
    # The same slope is no steeper one, and a flatter one bends nothing.
    assert found[1.0, None, "vog-hardest"].bends is False
    assert found[1.0, None, "aum-hardest"].bends is False
    assert found[1.0, None, "random"].bends is None
    text = " ".join(lines(write_comparison(tmp_path)))
    assert "better at the largest subset: el2n-hardest." in text
    assert "Steeper" not in text
    header, first, *_ = (tmp_path / "comparison" / "scaling.csv").read_text().splitlines()
    assert (
        header == "data_fraction,method,slope,half_width,factor,sizes,bends,keep_fraction,steeper"
    )
    assert first.startswith("1.0,random,-0.")


def test_intervals_that_meet_show_nothing(tmp_path):
    write_law(tmp_path, RANDOM, -0.20)
    write_law(tmp_path, EL2N, -0.21)
    found = curves(tmp_path)
    random, ours = (found[1.0, None, name] for name in ("random", "el2n-hardest"))
    assert ours.slope < random.slope
    assert ours.slope + ours.half_width > random.slope - random.half_width
    assert ours.bends is False
    assert "Not shown that any method bends the curve" in (
        " ".join(lines(write_comparison(tmp_path)))
    )


def test_steeper_because_worse_with_few_examples(tmp_path):
    """It meets random at the largest subset, and bends nothing."""
    write_law(tmp_path, RANDOM, -0.2, factor=800**-0.3)
    write_law(tmp_path, EL2N, -0.5)
    row = curves(tmp_path)[1.0, None, "el2n-hardest"]
    assert (row.steeper, row.bends) == (True, False)
    text = " ".join(lines(write_comparison(tmp_path)))
    assert "Not shown that any method bends the curve." in text
    assert "not shown to be better at the largest subset: el2n-hardest." in text


def test_the_full_data_end_every_curve(tmp_path):
    write_run(tmp_path, 0.95)
    write_run(tmp_path, 0.8, RANDOM, 0.5)
    write_run(tmp_path, 0.7, EL2N, 0.5)
    row = curves(tmp_path)[1.0, None, "el2n-hardest"]
    assert row.sizes == (500, 1000)
    assert row.errors == pytest.approx((0.3, 0.05))
    # Two sizes have no slope.
    assert (row.slope, row.half_width, row.factor, row.bends) == (None, None, None, None)
    assert "examples^slope" not in " ".join(lines(write_comparison(tmp_path)))


def test_sizes_of_several_data_fractions(tmp_path):
    """At one keep fraction of each, as in the paper."""
    for fraction, noise in zip((0.2, 0.4, 0.6, 1.0), NOISE, strict=True):
        for method, slope in ((RANDOM, -0.2), (EL2N, -0.5)):
            accuracy = 1 - noise * (500 * fraction) ** slope
            for seed in range(3):
                shift = 0.001 * (seed - 1)
                write_run(tmp_path, accuracy + shift, method, 0.5, seed, fraction)
    found = curves(tmp_path)
    row = found[None, 0.5, "el2n-hardest"]
    assert row.sizes == (100, 200, 300, 500)
    assert row.slope == pytest.approx(-0.5, abs=0.01)
    assert row.bends is True
    assert set(found) == {(None, 0.5, "random"), (None, 0.5, "el2n-hardest")}


def test_errors_of_zero_are_no_points_of_the_fit(tmp_path):
    for keep_fraction, accuracy in zip(KEPT, (0.5, 0.7, 0.8, 1.0), strict=True):
        write_run(tmp_path, accuracy, RANDOM, keep_fraction, class_accuracy=[1.0])
    row = curves(tmp_path)[1.0, None, "random"]
    assert len(row.sizes) == 4
    assert row.slope is None
