"""The pilot runs on one split, in a child process."""

import keras

from keras_pruning.models import loading
from keras_pruning.training import evaluation, fit


def run_split(plan, training, split):
    """Trains a model on the kept examples of each policy, and evaluates it on the held-out ones.

    All models of a split have the same seed, so that their weights start alike.

    Args:
        plan: `TrainingPlan`.
        training: `TrainingConfig` of the runs.
        split: `Split`.

    Returns:
        Dictionary of the `seed`, the `accuracies` of the policies, a dictionary, and the number of
        `examples_seen`.
    """
    examples = plan.data.train
    held_out = examples.at(split.held_out)
    seed, seen, accuracies = fit.derived_seed("pilot", split.seed), 0, {}
    for name, rows in split.kept.items():
        # Frees the model before
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        spec, classes = examples.spec, examples.num_classes
        model = loading.build(plan.model.name, spec, classes, **plan.model.options)
        kept = examples.at(rows)
        log = fit.train(model, kept, training, full_size=split.pool, seed=seed)
        accuracies[name] = evaluation.evaluate(model, held_out)["test_accuracy"]
        seen += log.examples_seen
    return {"seed": split.seed, "accuracies": accuracies, "examples_seen": seen}
