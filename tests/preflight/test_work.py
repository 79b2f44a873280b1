"""The measurement of a scoring in a child process."""

from types import SimpleNamespace

from keras_pruning.config import Config, DatasetConfig, ProbeConfig
from keras_pruning.preflight import work
from keras_pruning.probing.plan import ScoringPlan


def test_each_group_of_scores_is_timed_once_for_each_plan(monkeypatch):
    timed, others = [], []

    class Times:
        def __init__(self, *arguments):
            self.sizes = {}

        def at(self, plan):
            others.append(plan)
            return self

        def of(self, scores):
            timed.append([score.name for score in scores])
            return {"seconds": float(len(scores))}

    monkeypatch.setattr(work, "ScoringTime", Times)
    monkeypatch.setattr(work, "_built", lambda *arguments: None)
    monkeypatch.setattr(work, "_training_of_probes", lambda *arguments: SimpleNamespace(model=None))
    config = Config(
        DatasetConfig("digits", fraction=0.2),
        probe=ProbeConfig(seeds=4),
        scores=["el2n", {"name": "vog", "seeds": 2}],
    )
    plan = ScoringPlan.from_config(config)
    smaller = plan.with_splits(plan.data.splits.with_fraction(0.1))
    seeds = sorted(plan.scores_of_each_seed)
    result, of_smaller = work.measure_scoring([plan, smaller], [seeds, seeds[:1]])
    assert sorted(timed) == [["el2n"], ["el2n", "vog"], ["el2n", "vog"]]
    assert others == [smaller]
    assert of_smaller["works"] == result["works"][:1]
    seconds = [part["seconds"] - result["checking"] for part in result["works"]]
    assert [round(part) for part in seconds] == [2, 2, 1, 1]
