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
        Dictionary of the `seed`, the `accuracies` of the policies, a dictionary, the numbers of
        `examples_seen` in training and of `examples_forward` in evaluation, and the `flops`.
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
    evaluated = len(held_out) * len(split.kept)
    # The same model for all policies, so that one graph tells the operations of all
    in_training = fit.training_flops(model, kept, training, seen)
    in_evaluation = evaluation.evaluation_flops(model, held_out, evaluated)
    return {
        "seed": split.seed,
        "accuracies": accuracies,
        "examples_seen": seen,
        "examples_forward": evaluated,
        "flops": None if None in (in_training, in_evaluation) else in_training + in_evaluation,
    }
