"""The measurement of a scoring in a child process."""

from types import SimpleNamespace

from keras_pruning.config import Config, DatasetConfig, ProbeConfig
from keras_pruning.preflight import work
from keras_pruning.probing.plan import ScoringPlan


def test_probes_of_the_same_scores_are_timed_once(monkeypatch):
    timed = []

    class Times:
        def __init__(self, *arguments):
            self.sizes = {}

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
    result = work.measure_scoring(plan, sorted(plan.scores_of_each_seed))
    assert sorted(timed) == [["el2n"], ["el2n", "vog"]]
    seconds = [part["seconds"] - result["checking"] for part in result["works"]]
    assert [round(part) for part in seconds] == [2, 2, 1, 1]
