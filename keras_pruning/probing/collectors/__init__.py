"""Collectors: one for each signal of a model, which prepares, observes and finishes."""

from keras_pruning.errors import unknown
from keras_pruning.probing.collectors.embeddings import EmbeddingCollector
from keras_pruning.probing.collectors.input_gradients import InputGradientCollector
from keras_pruning.probing.collectors.outputs import OutputCollector
from keras_pruning.scores.score import EMBEDDINGS, INPUT_GRADIENTS, OUTPUTS

COLLECTORS = {
    OUTPUTS: OutputCollector,
    INPUT_GRADIENTS: InputGradientCollector,
    EMBEDDINGS: EmbeddingCollector,
}


def collectors_of(scores, examples, batch_size, support=None):
    """Returns a collector for each signal that some score observes.

    Args:
        scores: list of `Score` instances.
        examples: `Examples` to score.
        batch_size: examples a batch of the scoring passes.
        support: `Examples` that neighbours and prototypes come from, or `None` for the scored ones.

    Returns:
        Dictionary from the name of the signal to its `Collector`, in the order of `COLLECTORS`.

    Raises:
        InputError: if there is no collector for the signal of a score.
    """
    for score in scores:
        if score.signal not in COLLECTORS:
            raise unknown(f"signal of the score {score.name!r}", score.signal, COLLECTORS)
    return {
        signal: collector(observing, examples, batch_size, support)
        for signal, collector in COLLECTORS.items()
        if (observing := [score for score in scores if score.signal == signal])
    }
