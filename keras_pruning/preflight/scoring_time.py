"""The time, operations and memory of scoring with one model, from pieces timed on few examples."""

import copy
import math
import time

from keras_pruning.models import loading
from keras_pruning.models.heads import as_logits
from keras_pruning.preflight import timed_passes
from keras_pruning.preflight.lines import Line
from keras_pruning.preflight.probe_work import ProbeWork
from keras_pruning.preflight.run_costs import saved_states
from keras_pruning.preflight.timed_training import measured_checkpoint, timed
from keras_pruning.probing.cost_of_passes import cost_of
from keras_pruning.scores.score import EMBEDDINGS, INPUT_GRADIENTS, OUTPUTS, TRAIN
from keras_pruning.training import fit
from keras_pruning.training.checkpoint import EVERY

# Bytes above which embeddings are files, and bytes of the blocks of a search.
_IN_MEMORY, _BLOCKS = 2**31, 2**29


class ScoringTime:
    """The pieces of scoring, each timed once for all probes.

    Args:
        plan: `ScoringPlan`.
        model: Keras model, a trained one or the last checkpoint, `None` if no score needs one.
        training: `TimedTraining`, `None` if nothing is trained.
        scores: list of all `Score` instances, each once.
    """

    def __init__(self, plan, model, training, scores):
        self._training, self._model, self._extrapolations = training, model, {}
        self._take(plan)
        self._logits = model and as_logits(model, spec=self._data.scored.spec)
        self._epochs = len(plan.checkpoints) if plan.checkpoints else plan.training.epochs
        self._loading = 0.0
        if plan.checkpoints:
            self._loading = timed(lambda: loading.load(plan.checkpoints[-1]))
        self._passes = self._timed_outputs(scores)
        self._gradients, self._checkpoints = self._timed_input_gradients(scores)
        self._embedding, self._dimensions, self._searches = self._timed_embeddings(scores)
        self._saving = {"save": 0.0, "checkpoint_bytes": 0}
        if model is not None:
            self._saving = measured_checkpoint(model)

    def _take(self, plan):
        """Takes the examples of a plan."""
        data = plan.data
        self._plan, self._data, self._count = plan, data, len(data.scored)
        self._support = data.trained_on if data.unseen else None

    def at(self, plan):
        """Returns the same pieces for the examples of another plan, which differs in nothing else.

        Args:
            plan: `ScoringPlan`.
        """
        other = copy.copy(self)
        other._take(plan)
        return other

    def of(self, scores):
        """Returns the work of one probe, or of all checkpoints.

        Args:
            scores: list of `Score` instances that the probe takes.

        Returns:
            Dictionary of `seconds`, of the number of `epochs` and the content of a cost of scoring.
        """
        work, data = self._work(scores), self._data
        seconds = self._seconds(work)
        seen, in_training = work.stop * len(data.trained_on), 0
        if work.stop:
            training = self._plan.training
            in_training = fit.training_flops(self._model, data.trained_on, training, seen)
        extrapolated = len(data.all) if data.extrapolates else 0
        passes = work.passes(self._count, len(self._support or ()), extrapolated, self._logits)
        start = time.perf_counter()
        spec = data.scored.spec
        cost = cost_of([passes], seconds, self._model, spec, seen, in_training)
        # The command counts the operations too.
        return {**cost, "epochs": work.stop, "seconds": seconds + time.perf_counter() - start}

    def _seconds(self, work):
        """Returns the seconds of a `ProbeWork`, without those of counting its operations."""
        data, training, seconds = self._data, self._training, 0.0
        if work.stop:
            seconds += training.cold + work.stop * training.epoch.at(len(data.trained_on))
        seconds += self._output_seconds(work)
        if work.checkpoints:
            share = work.checkpoints / max(1, self._checkpoints)
            seconds += share * self._gradients.at(self._count)
        embedding = work.of_signal(EMBEDDINGS)
        if embedding:
            seconds += self._embedding.at(self._count + len(self._support or ()))
            seconds += sum(self._searches[score.name].at(self._count) for score in embedding)
        if data.extrapolates:
            seconds += sum(
                curve.at(len(data.all)) for curve in self._extrapolation(len(work.scores))
            )
        loaded = len(self._plan.checkpoints or ())
        seconds += self._loading * loaded
        saves = saved_states(work.stop or loaded, seconds, EVERY)
        return seconds + self._saving["save"] * saves

    def _extrapolation(self, number):
        """Returns the curves of estimating a number of scores, which are timed once."""
        if number not in self._extrapolations:
            options = self._data.fraction, self._plan.batch_size, number
            self._extrapolations[number] = timed_passes.time_extrapolation(
                self._logits, self._data.all, *options
            )
        return self._extrapolations[number]

    def _output_seconds(self, work):
        """Returns the seconds of the passes that observe outputs."""
        passes = work.output_passes
        # Each checkpoint is another model, whose graph is traced anew.
        traced = passes if self._plan.checkpoints else list(dict.fromkeys(passes))
        pieces = [self._passes[self._has_gradients(names)] for names in traced]
        tracing = [
            first if number == 0 else again for number, (_, again, first) in enumerate(pieces)
        ]
        lines = [self._passes[self._has_gradients(names)][0] for names in passes]
        return sum(tracing) + sum(line.at(self._count) for line in lines)

    @property
    def sizes(self):
        """The bytes that a few examples do not show, a dictionary."""
        width = 4 * sum(self._dimensions.values())
        support = len(self._support or ())
        embedded = width * (self._count + support)
        blocks = min(_BLOCKS, 4 * self._count * (support or self._count)) if embedded else 0
        weights = 4 * sum(math.prod(weight.shape) for weight in self._weights)
        return {
            "embedded": min(embedded, _IN_MEMORY) + blocks,
            "embedded_files": embedded if embedded > _IN_MEMORY else 0,
            "checkpoints": self._checkpoints * weights,
            "values": self._state_bytes(),
            **self._saving,
        }

    def _state_bytes(self):
        """Returns the bytes of the values that scores of several epochs keep of all examples."""
        training = self._training
        if training is None or training.callback is None:
            return 0
        kept = sum(values.nbytes for values in training.callback.state().values())
        return round(kept / training.count * self._count)

    @property
    def _weights(self):
        return [] if self._model is None else self._model.weights

    def _work(self, scores):
        if self._plan.checkpoints:
            return ProbeWork.of_checkpoints(scores, len(self._plan.checkpoints))
        return ProbeWork.of_probe(scores, self._plan.training, self._data)

    def _has_gradients(self, names):
        return not self._gradient_names.isdisjoint(names)

    def _timed_outputs(self, scores):
        """Returns the pieces of `time_outputs` of passes with and without weight gradients."""
        observing = self._work(scores).of_signal(OUTPUTS)
        if not self._plan.checkpoints and not self._data.unseen:
            observing = [score for score in observing if score.mode != TRAIN]
        by_weights = [score for score in observing if score.needs_gradients]
        self._gradient_names = {score.name for score in by_weights}
        outputs = [score for score in observing if not score.needs_gradients]
        options = self._plan.batch_size, self._epochs
        timed_lines = {}
        for has_gradients, group in ((False, outputs), (True, by_weights and observing)):
            timed_lines[has_gradients] = (
                timed_passes.time_outputs(self._logits, self._data.scored, group, *options)
                if group
                else (Line(0.0, 0.0), 0.0, 0.0)
            )
        return timed_lines

    def _timed_input_gradients(self, scores):
        """Returns the `Line` of the pass and its number of checkpoints."""
        observing = [score for score in scores if score.signal == INPUT_GRADIENTS]
        if not observing:
            return Line(0.0, 0.0), 0
        options = self._plan.batch_size, self._epochs
        return timed_passes.time_input_gradients(
            self._logits, self._data.scored, observing, *options
        )

    def _timed_embeddings(self, scores):
        """Returns the `Line` of the pass, the dimensions and the curve of each search."""
        observing = [score for score in scores if score.signal == EMBEDDINGS]
        if not observing:
            return Line(0.0, 0.0), {}, {}
        examples, batch_size = self._data.scored, self._plan.batch_size
        requests = list(
            dict.fromkeys(part for score in observing for part in score.embeddings(self._logits))
        )
        line, dimensions = timed_passes.time_embeddings(
            self._logits, examples, requests, batch_size
        )
        searches = {
            score.name: timed_passes.time_search(
                self._logits, examples, self._support, score, dimensions
            )
            for score in observing
        }
        return line, dimensions, searches
