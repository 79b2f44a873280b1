"""The moments of the collectors, driven by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from support import small

import keras_pruning as kp
from keras_pruning import InputError
from keras_pruning.probing.collectors import COLLECTORS
from keras_pruning.probing.collectors.collector import Collector
from keras_pruning.probing.recorder import ScoreRecorder
from keras_pruning.scores import EL2N, Prototype, Score, VoG


def watched(signal, moments):
    """The collector of a signal, which writes down its moments and the scores that are due."""

    class Watched(COLLECTORS[signal]):
        def check(self, model):
            moments.append((signal, "check"))
            super().check(model)

        def prepare(self, model, store):
            moments.append((signal, "prepare"))
            super().prepare(model, store)

        def observe(self, model, scores):
            moments.append((signal, "observe", *[score.name for score in scores]))
            super().observe(model, scores)

        def finish(self, model):
            moments.append((signal, "finish"))
            super().finish(model)

    return Watched


def test_each_signal_is_prepared_observed_and_finished(monkeypatch):
    moments = []
    for signal in COLLECTORS:
        monkeypatch.setitem(COLLECTORS, signal, watched(signal, moments))
    examples = small.digits(40)
    callback = kp.ScoreCallback(examples, [VoG(every=2), Prototype(), EL2N(epoch=3), "forgetting"])
    for _ in range(2):
        moments.clear()
        small.fit(small.network(examples), examples, 4, [callback])
        outputs, gradients, embeddings = COLLECTORS
        callback.table()
        assert moments == [
            *[(signal, "check") for signal in COLLECTORS],
            *[(signal, "prepare") for signal in COLLECTORS],
            *[(outputs, "observe", "forgetting"), (gradients, "observe")],
            (embeddings, "observe"),
            *[(outputs, "observe", "forgetting"), (gradients, "observe", "vog")],
            (embeddings, "observe"),
            *[(outputs, "observe", "el2n", "forgetting"), (gradients, "observe")],
            (embeddings, "observe"),
            *[(outputs, "observe", "forgetting"), (gradients, "observe", "vog")],
            (embeddings, "observe", "prototype"),
            *[(signal, "finish") for signal in COLLECTORS],
        ]
    recorded = callback.table().metadata["scores"]
    assert {name: recorded[name]["epochs"] for name in recorded} == {
        "vog": [2, 4],
        "prototype": [4],
        "el2n": [3],
        "forgetting": [1, 2, 3, 4],
    }


def test_signals_that_no_score_observes_have_no_collector(monkeypatch):
    moments = []
    for signal in COLLECTORS:
        monkeypatch.setitem(COLLECTORS, signal, watched(signal, moments))
    examples = small.digits(40)
    kp.score_checkpoints([small.network(examples)], examples, ["el2n"])
    assert moments == [
        ("outputs", "check"),
        ("outputs", "prepare"),
        ("outputs", "observe", "el2n"),
        ("outputs", "finish"),
    ]


class Clock(Collector):
    """Gives the number of moments so far, of no model at all."""

    def prepare(self, model, store):
        self.time = 0

    def observe(self, model, scores):
        self.time += 1
        for score in scores:
            score.update(score.observe(self.time + np.arange(len(self.examples))))

    def mode(self, score):
        return "clockwise"


class Time(Score):
    name = "time"
    higher_is_harder = False
    signal = "time"

    def epochs_due(self, epochs):
        return [2]

    def observe(self, signal):
        return 10 * signal


def test_a_new_signal_is_a_collector_and_scores_that_name_it(monkeypatch):
    """The recorder asks attributes of the score, and knows neither the signal nor the name."""
    monkeypatch.setitem(COLLECTORS, "time", Clock)
    recorder = ScoreRecorder(small.digits(20), [Time()])
    model = SimpleNamespace(weights=[])
    for _ in range(2):
        recorder.start(3)
        for epoch in (1, 2, 3):
            recorder.epoch_end(epoch, model=model)
        recorder.finish(model)
        table = recorder.table()
        assert table["time"].tolist() == list(range(20, 220, 10))
        assert table.metadata["scores"]["time"] == {
            "higher_is_harder": False,
            "config": {},
            "epochs": [2],
            "partial": False,
            "mode": "clockwise",
            "over_seeds": "mean",
        }


def test_a_signal_without_a_collector_is_an_error():
    message = "Unknown signal of the score 'time'. Expected one of .*'outputs'.*Received: 'time'"
    with pytest.raises(InputError, match=message):
        ScoreRecorder(small.digits(20), [Time()])
