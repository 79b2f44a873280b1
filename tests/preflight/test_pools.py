"""Runs that share processes, by hand."""

import pytest

from keras_pruning.preflight.forecast import Disk, Row
from keras_pruning.preflight.pools import forecast_runs, largest_pool
from keras_pruning.preflight.runs import (
    BASELINES,
    DYNAMIC,
    FULL,
    METHODS,
    PILOTS,
    RANDOM,
    PlannedRun,
)


class Costs:
    """Each run takes as many seconds as it has epochs."""

    unfinished, extra, server, server_seconds = 10, 100, 1, 0.0

    def __init__(self, fresh=False):
        self._fresh = fresh

    def wall_seconds(self, run):
        return run.epochs + 2 * self._fresh

    def beginning_of_pool(self, run):
        return 2 * (not self._fresh) * (run.what != PILOTS)

    def row(self, what, runs):
        return Row(what, sum(not run.is_finished for run in runs))

    def disk(self, runs):
        return Disk(len(runs))


def runs(what, number, seconds=8, is_finished=False):
    return [PlannedRun(what, 50, seconds, is_finished)] * number


def seconds_of(forecast):
    return {row.what: row.seconds for row in forecast.rows}


def test_all_kinds_of_runs_share_the_processes():
    planned = [*runs(FULL, 8), *runs(RANDOM, 16), *runs(METHODS, 8)]
    forecast = forecast_runs([Costs()], [planned], 16, 16)
    # Two rounds of eight seconds, shared by 32 runs
    assert seconds_of(forecast) == {FULL: 4, RANDOM: 8, METHODS: 4}
    assert forecast.seconds == 16 + 2
    assert forecast.memories[0].jobs == 16


def test_data_fractions_share_the_processes():
    planned = [runs(FULL, 1) + runs(METHODS, 3, is_finished=True), runs(METHODS, 61)]
    assert largest_pool(planned) == 62
    forecast = forecast_runs([Costs(), Costs()], planned, 8, 8)
    assert forecast.seconds == pytest.approx(8 * 8 + 2)
    assert forecast.memories[0].jobs == 8
    assert [(row.what, row.number) for row in forecast.rows] == [(FULL, 1), (METHODS, 61)]
    assert (forecast.disk.kept, forecast.disk.unfinished) == (62, 80)


def test_baselines_wait_for_the_methods():
    planned = [runs(DYNAMIC, 1), runs(FULL, 1)]
    for part in planned:
        part += runs(BASELINES, 2)
    assert largest_pool(planned) == 4
    forecast = forecast_runs([Costs(), Costs()], planned, 4, 4)
    # Each pool starts its processes.
    assert forecast.seconds == 8 + 8 + 2 * 2
    assert seconds_of(forecast) == {DYNAMIC: 4, BASELINES: 8, FULL: 4}


def test_the_pilots_of_a_data_fraction_come_first():
    planned = [runs(PILOTS, 2, 5), runs(PILOTS, 2, 5)]
    assert forecast_runs([Costs(), Costs()], planned, 4, 4).seconds == 10


def test_processes_elsewhere_take_no_memory_here():
    forecast = forecast_runs([Costs(fresh=True)], [runs(METHODS, 8)], 8, 1)
    assert forecast.memories[0].jobs == 1
    assert (forecast.rows[0].seconds, forecast.other_seconds) == (10, 0)


def test_finished_runs_are_in_no_pool():
    assert largest_pool([runs(FULL, 3, is_finished=True), []]) == 0
