"""Collects embeddings: once, at the end of training."""

from keras_pruning.backend.tensorflow.requirements import require_unshifted_logits
from keras_pruning.embeddings import layers
from keras_pruning.embeddings.requests import OUTPUT
from keras_pruning.embeddings.sources import is_array
from keras_pruning.models.loading import output_for_zeros
from keras_pruning.probing.collectors.collector import Collector


class EmbeddingCollector(Collector):
    """Feeds scores with `Embeddings` of all examples, by the trained model or from files."""

    sees_trained_model = True

    def check(self, model):
        scores = [score for score in self.scores if model is not None or not score.needs_model]
        # The layers of a model that was never called do not exist yet.
        if any(score.needs_model for score in scores) and not model.built:
            output_for_zeros(model, self.examples.spec)
        requests = self._embeddings(model, scores)
        layers.require_embeddings(model, self.examples, requests, self.support)

    def finish(self, model):
        embeddings = self._embeddings(model, self.scores)
        # An output that scores take for logits must be one logit for each class.
        if any(part.source is None and part.layer == OUTPUT for part in embeddings):
            require_unshifted_logits(model, self.examples)
        self._count_passes(embeddings)
        with layers.embeddings(
            model, self.examples, embeddings, self.batch_size, support=self.support
        ) as embedded:
            for score in self.scores:
                score.update(score.observe(embedded.only(score.embeddings(model))))

    def _count_passes(self, embeddings):
        """Counts a pass of all examples, and one of the support, through each model."""
        count = len(self.examples) + len(self.support or ())
        self.passes.searches = True
        for source in {embedding.source for embedding in embeddings}:
            if source is None:
                self.passes.forward += count
            elif not is_array(source):
                self.passes.other_models += count

    def _embeddings(self, model, scores):
        """Returns the embeddings that the scores observe, each once."""
        return list(
            dict.fromkeys(embedding for score in scores for embedding in score.embeddings(model))
        )
