"""The frame of the benchmarks: pairs of calls, and the one table of them."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    """A function that imports a module of `benchmarks/`, which is no package."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    # The numbers of threads that `timing` sets stay with the test.
    monkeypatch.setattr("os.environ", dict(os.environ))
    return importlib.import_module


def test_ratios_are_taken_pair_by_pair(module):
    """The median of the ratios, not the ratio of the medians, and no best of."""
    found = module("timing").ratios([1.0, 4.0, 9.0], [2.0, 2.0, 3.0])
    assert found == {
        "ours": 4.0,
        "reference": 2.0,
        "ratio": 2.0,
        "lowest": 0.5,
        "highest": 3.0,
        "pairs": 3,
    }


@pytest.mark.parametrize("count, outside", [(5, 0), (6, 0), (9, 1), (12, 2), (20, 5), (100, 39)])
def test_the_spread_is_a_95_percent_interval_of_the_median(module, count, outside):
    """The places in the table of the sign test."""
    times = [float(number + 1) for number in range(count)]
    measured = module("timing").ratios(times[::-1], [1.0] * count)
    assert (measured["lowest"], measured["highest"]) == (outside + 1, count - outside)


def test_a_pair_calls_the_reference_between_two_calls_of_ours(module):
    calls, timing = [], module("timing")
    functions = lambda: calls.append("a"), lambda: calls.append("b")
    measured = timing.paired(*functions, 2, seconds_at_most=0)
    assert "".join(calls) == "ab" + 2 * "abba"
    assert measured["pairs"] == 2


def test_pairs_follow_until_the_ratio_is_known(module, monkeypatch):
    timing, clock = module("timing"), iter(range(10_000))
    taken = iter([1.0, 1.0, 2.0, 1.0] + [1.0] * 400)
    monkeypatch.setattr(timing, "seconds", lambda function: next(taken))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    nothing = lambda: None  # noqa: E731
    measured = timing.paired(nothing, nothing, 2, seconds_at_most=1000)
    # The first ratio is 2 : 3. Among nine pairs, the interval leaves out one on each side.
    assert measured["pairs"] == 9
    assert (measured["lowest"], measured["ratio"], measured["highest"]) == (1, 1, 1)


def test_the_load_is_that_of_other_processes(module, monkeypatch, rows):
    load = module("load")
    used = iter([(0, 0, 0), (10, 15, 10), (10, 15, 10), (10.1, 16, 10), (11, 16, 10), (21, 26, 20)])
    monkeypatch.setattr(load, "_used", lambda: next(used))
    # The second row was measured together with the first
    measured = load.beside(iter(rows))
    assert [next(measured).others for _ in range(3)] == [0.5, 0.5, 0.0]


def test_the_work_of_children_is_ours(module):
    code = "sum(range(10**7))"
    before = module("load")._used()
    subprocess.run([sys.executable, "-c", code], check=True)
    after = module("load")._used()
    assert after[2] > before[2]
    assert after[1] - before[1] > (after[2] - before[2]) / 2


def test_the_peak_leaves_out_memory_held_before_the_call(module):
    peaks = module("peak").peaks
    held = bytearray(64 * 2**20)
    assert peaks(lambda: None)[0] < 8
    resident, _ = peaks(lambda: bytearray(b"1") * (32 * 2**20))
    assert 30 < resident < 48
    assert len(held) == 64 * 2**20


def test_functions_take_turns_in_processes_of_their_own(module, tmp_path):
    turns = module("turns")
    log = tmp_path / "log"
    contestants = {name: (_logger, {"log": log, "name": name}) for name in "ab"}
    found = turns.in_turn(contestants, 2, pause=0)
    (a, b), names = zip(*[line.split() for line in log.read_text().splitlines()[:2]], strict=True)
    assert (names, a == b) == (("a", "b"), False)
    assert [line.split()[1] for line in log.read_text().splitlines()] == list("ababab")
    assert [len(found[name].seconds) for name in "ab"] == [2, 2]


def _logger(log, name):
    def write():
        with log.open("a") as file:
            file.write(f"{os.getpid()} {name}\n")

    return write


@pytest.fixture
def rows(module):
    row = module("rows").Row
    return [
        row("fit", "plain fit", 1.0, 2.0, 0.5, 0.25, 0.75, pairs=3, peak=12.4, others=0.3),
        row.of_one_pair("peak", "limit", 3.0, 2.0, unit="MiB"),
        row("the same neighbours", "float64", 99.95, unit="%"),
    ]


def test_the_table_in_markdown(module, rows):
    lines = module("table").markdown({"knn.py": rows, "depth.py": rows[:1]}, load=0.25)
    lines = lines.splitlines()
    numbers = "1.00 s | 2.00 s | 0.500 | 0.250 … 0.750 of 3 | 12 MiB | 0.30 |"
    assert lines[4] == f"| `knn.py` | fit | plain fit | {numbers}"
    assert lines[5] == "|  | peak | limit | 3.0 MiB | 2.0 MiB | 1.500 |  |  |  |"
    assert lines[6] == "|  | the same neighbours | float64 | 99.950 % |  |  |  |  |  |"
    assert lines[7] == f"| `depth.py` | fit | plain fit | {numbers}"
    assert {line.count("|") for line in lines[2:8]} == {10}
    assert "cores" in lines[0]
    assert lines[0].endswith("Load before: 0.2.")


def test_the_table_on_the_terminal(module, rows, capsys):
    module("table").show({"knn.py": rows})
    said = capsys.readouterr().out
    for text in ("knn.py", "plain fit", "0.250 … 0.750 of 3", "99.950 %"):
        assert text in said


def test_a_benchmark_hands_its_rows_over_in_a_file(module, rows, tmp_path, monkeypatch):
    frame, file, sizes = module("rows"), tmp_path / "rows.jsonl", []

    def measure(num_examples=5, *epochs):
        sizes.append((num_examples, *epochs))
        yield from rows

    monkeypatch.setattr("sys.argv", ["knn.py", "7", "1", "2", "--rows", str(file)])
    frame.main(measure)
    assert sizes == [(7, 1, 2)]
    assert frame.read(file) == rows
    assert json.loads(file.read_text().splitlines()[0])["measured"] == "fit"


def test_every_benchmark_of_the_run_is_there(module):
    for name in module("run").BENCHMARKS:
        text = (BENCHMARKS / f"{name}.py").read_text()
        assert "main(measure)" in text
        assert f"python benchmarks/{name}.py" in text


def test_time_is_that_of_the_inner_operation(module, tmp_path):
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    profile, space = module("where_time_goes"), xplane_pb2.XSpace()
    plane = space.planes.add()
    threads = {"tf_Compute/1": [(0, 90, "Executor"), (10, 40, "a:Conv2D"), (15, 9, "ParallelFor")]}
    threads["python"] = [(0, 100, "Execute"), (60, 30, "NumPy: offer"), (95, 5, "Execute")]
    for thread, events in threads.items():
        line = plane.lines.add(name=thread)
        for start, taken, name in events:
            number = len(plane.event_metadata)
            plane.event_metadata[number].name = name
            line.events.add(metadata_id=number, offset_ps=start, duration_ps=taken)
    (tmp_path / "file").write_bytes(space.SerializeToString())
    times = profile._times(tmp_path / "file")
    kinds = {profile._kind(event): time for event, time in times.items()}
    assert kinds == {
        "scheduling operations": 50,
        "convolutions, forward": 40,
        "candidates among products (NumPy)": 30,
    }


@pytest.mark.slow
def test_the_shares_of_the_work_are_all_of_it(module):
    rows = list(module("where_time_goes").measure(300, 500))
    works = {row.measured for row in rows}
    totals = {work: sum(row.ours for row in rows if row.measured == work) for work in works}
    assert len(works) == 5
    assert all(80 < total <= 100.001 for total in totals.values())


@pytest.mark.slow
def test_the_trials_of_kills_and_of_writers_at_once(module):
    """At their smallest: the trials themselves work, and a kill and a pair go well."""
    rows = list(module("kills").measure(1, 1))
    assert [(row.ours, row.unit) for row in rows if row.reference] == [(1, "kills")] * 4
    assert [row.ours for row in rows if "alive" in row.measured] == [0, 0]
    # Two of `prune`: of one recipe and of two.
    rows = list(module("at_once").measure(1, 2))
    assert [(row.ours, row.reference) for row in rows] == [(1, 1)] * 2


def test_a_plan_is_read_from_its_output(module):
    shown = (
        "Memory: 1.5 GiB at most, 168.6 MiB for each of 2 processes beside 989.1 MiB of the \n"
        "command itself.\nTime: about 2.5 min, from a measurement of 20 s under"
    )
    plan = module("plan")
    assert plan.forecast(shown) == (150, 1536)
    shown, seconds, memory = plan.run(["--help"])
    assert "--help" in shown
    assert seconds > 0.1
    assert 1 < memory < 2000
