"""Collects the outputs of the model: in a pass in eval mode, or from the training step."""

from keras_pruning.backend.tensorflow.passes import OutputPass
from keras_pruning.backend.tensorflow.requirements import require_logits
from keras_pruning.backend.tensorflow.row_store import PresentationStore, require_one_device
from keras_pruning.models.heads import require_penultimate
from keras_pruning.probing.collectors.collector import Collector, require_outputs
from keras_pruning.scores.score import EVAL, TRAIN


class OutputCollector(Collector):
    """Feeds scores with `Outputs` at the end of the epochs at which they are due.

    Scores of train mode get the outputs that the training step has recorded, if it records. All
    other scores share a pass over the examples in eval mode.
    """

    def record_training(self, model, passes):
        observers = {score.name: score.observe for score in self.scores if score.mode == TRAIN}
        if not observers:
            return None
        require_one_device(model)
        require_logits(model, self.examples)
        return PresentationStore(observers, self.examples, passes)

    def check(self, model):
        if model is None:
            return
        require_outputs(model, self.examples)
        if any(score.needs_penultimate for score in self.scores):
            require_penultimate(model)

    def prepare(self, model, store):
        self.carry_on(store)

    def carry_on(self, store):
        # An epoch that was broken off is trained again, so its presentations do not count.
        if store is not None:
            store.clear()
        self._store = store
        self._model, self._passes = None, {}

    def mode(self, score):
        return TRAIN if score.mode == TRAIN and self._store is not None else EVAL

    def observe(self, model, scores):
        self._observe_in_eval_mode(model, [score for score in scores if self.mode(score) == EVAL])
        if self._store is not None:
            # Taken even if no score is due, because the store has room for one epoch only.
            recorded = [score for score in scores if self.mode(score) == TRAIN]
            for rows, values in self._store.take():
                for score in recorded:
                    score.update(values[score.name], rows)

    def finish(self, model):
        # The passes hold graphs and a row for each example.
        self._model, self._passes = None, {}

    def _observe_in_eval_mode(self, model, scores):
        if not scores:
            return
        names = tuple(score.name for score in scores)
        # Kept for the next epochs, because tracing a graph costs more than running it.
        if self._model is not model:
            self._model, self._passes = model, {}
        if names not in self._passes:
            self._passes[names] = OutputPass(
                model,
                self.examples,
                {score.name: score.observe for score in scores},
                self.batch_size,
                needs_penultimate=any(score.needs_penultimate for score in scores),
            )
        taken = self._passes[names]
        results = taken()
        self.passes.forward += taken.observes_outputs * len(self.examples)
        self.passes.weight_gradients += taken.observes_gradients * len(self.examples)
        at_once = {score.name: score for score in scores if score.mode == EVAL}
        values = results.read(names=at_once)
        for name, score in at_once.items():
            score.update(values[name])
        # Scores of train mode take any rows, as from the training step
        by_rows = {score.name: score for score in scores if score.mode == TRAIN}
        for block in results.blocks(len(self.examples)) if by_rows else ():
            values = results.read(range(len(self.examples))[block], by_rows)
            for name, score in by_rows.items():
                score.update(values[name], block)
