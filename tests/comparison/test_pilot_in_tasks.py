"""The pilot of a sweep that several tasks share."""

import threading
import time
from types import SimpleNamespace

from support.compared import leftovers

from keras_pruning.comparison import pilots
from keras_pruning.jobs import tasks
from keras_pruning.jobs.tasks import Tasks
from keras_pruning.pilot.choice import decide


def test_one_task_runs_the_pilot_for_all(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "_FIRST", 0.01)
    runs, choices = [], []
    accuracies = {"random": [0.5, 0.6, 0.5], "easiest": [0.7, 0.8, 0.75]}

    def run():
        runs.append(None)
        time.sleep(0.2)
        return decide(accuracies, 0.25, "el2n", 0.5, [0, 1, 2], recipe={"of": "the pilot"})

    def choose(index):
        plan = SimpleNamespace(tasks=Tasks(index, 3))
        recipe = {"of": "the pilot"}
        pilot = SimpleNamespace(plan=plan, run=run, recipe=recipe, keep_fraction=0.5, quota=None)
        choices.append(pilots._choice(pilot, tmp_path / "auto" / "pilot.json"))

    threads = [threading.Thread(target=choose, args=[index]) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(runs) == 1
    assert [choice.as_dict() for choice in choices] == [choices[0].as_dict()] * 3
    assert leftovers(tmp_path) == []
