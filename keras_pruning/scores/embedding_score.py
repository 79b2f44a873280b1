"""The base class of the scores of embeddings."""

from keras_pruning.scores.score import EMBEDDINGS, Score


class EmbeddingScore(Score):
    """Base class of the scores of embeddings of the examples after layers of the trained model.

    A subclass overrides `embeddings` and `observe`. The signal is
    `keras_pruning.embeddings.layers.Embeddings` of all examples, and `observe` returns
    `(examples,)`.
    """

    signal = EMBEDDINGS
    needs_support = True

    def reset(self, examples, epochs, support=None):
        """Forgets earlier runs.

        Args:
            examples: `Examples` that are about to be scored.
            epochs: list of the epochs that `epochs_due` returned.
            support: `Examples` that neighbours and prototypes come from. Defaults to the same.
        """
        super().reset(examples, epochs)

    def embeddings(self, model):
        """Returns the embeddings that the score observes.

        Args:
            model: Keras model, or `None` for a score that needs none.

        Returns:
            List of `keras_pruning.embeddings.requests.Embedding`.

        Raises:
            InputError: if the model does not have such layers.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `embeddings`.")
