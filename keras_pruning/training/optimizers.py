"""Optimisers and learning rate schedules of the papers on data pruning."""

import keras

from keras_pruning.errors import InputError, unknown


@keras.saving.register_keras_serializable(package="keras_pruning")
class SGD(keras.optimizers.SGD):
    """Stochastic gradient descent whose weight decay is part of the gradient.

    Keras decouples weight decay from the gradient. With a momentum m, this weakens it by a factor
    of 1 - m. The papers on data pruning (weight decay 5e-4 at momentum 0.9) use this form:

    Formula:
        g = ∂loss/∂w + l2 · w

    Args:
        l2: factor of each weight that is added to its gradient.
        **kwargs: arguments of `keras.optimizers.SGD`.
    """

    def __init__(self, l2=0.0, **kwargs):
        super().__init__(**kwargs)
        self.l2 = l2

    def update_step(self, gradient, variable, learning_rate):
        decayed = keras.ops.convert_to_tensor(gradient) + self.l2 * variable
        super().update_step(decayed, variable, learning_rate)

    def get_config(self):
        return {**super().get_config(), "l2": self.l2}


@keras.saving.register_keras_serializable(package="keras_pruning")
class FollowsRun(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that follows the share of the run that is done, not the number of steps.

    Epochs that train on fewer examples have fewer steps. A schedule in steps would then end before
    its last rates.

    Args:
        schedule: `LearningRateSchedule` over `steps` steps.
        steps: length of the run that it is made for.
    """

    def __init__(self, schedule, steps):
        super().__init__()
        self.schedule, self.steps = schedule, steps
        # Before the first epoch begins, a step is a step.
        self._start = keras.Variable(0.0, trainable=False, name="start")
        self._pace = keras.Variable(1 / steps, trainable=False, name="pace")
        self._first = keras.Variable(0, trainable=False, dtype="int64", name="first")

    def begin(self, optimizer, start, pace):
        """Begins an epoch.

        Args:
            optimizer: the optimizer that asks for the rate.
            start: share of the run that is done, in [0, 1].
            pace: share of the run that one step adds.
        """
        # In mixed precision, the optimizer inside of the one that scales the loss counts the steps.
        counting = getattr(optimizer, "inner_optimizer", optimizer)
        # The public `iterations` leave out batches whose gradients are only accumulated.
        self._first.assign(counting._iterations)
        self._start.assign(start)
        self._pace.assign(pace)

    def __call__(self, step):
        steps = keras.ops.cast(keras.ops.cast(step, "int64") - self._first, "float32")
        share = keras.ops.minimum(self._start + steps * self._pace, 1.0)
        return self.schedule(keras.ops.round(share * self.steps))

    def get_config(self):
        return {
            "schedule": keras.saving.serialize_keras_object(self.schedule),
            "steps": self.steps,
        }

    @classmethod
    def from_config(cls, config):
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["steps"])


def learning_rates(schedule, learning_rate, steps):
    """Returns the learning rate over a run of `steps` optimiser steps.

    Args:
        schedule: `"step"`, which falls to a fifth at 30, 60 and 80 % of the run, `"cosine"`, which
            falls to 0, or `"constant"`.
        learning_rate: learning rate of the first step.
        steps: number of optimiser steps of the whole run.

    Returns:
        A float or a `keras.optimizers.schedules.LearningRateSchedule`.

    Raises:
        InputError: if there is no such schedule.
    """
    schedules = keras.optimizers.schedules
    if schedule == "constant":
        return learning_rate
    if schedule == "cosine":
        return schedules.CosineDecay(learning_rate, steps)
    if schedule != "step":
        raise unknown("learning rate schedule", schedule, ["step", "cosine", "constant"])
    # A boundary is the last step at the previous rate.
    boundaries = [round(part * steps) - 1 for part in (0.3, 0.6, 0.8)]
    return schedules.PiecewiseConstantDecay(
        boundaries, [learning_rate * 0.2**drops for drops in range(4)]
    )


def make_optimizer(name, learning_rate, weight_decay):
    """Returns an optimiser by its name.

    Args:
        name: `"sgd"`, which has Nesterov momentum 0.9 and weight decay in the gradient, or the name
            of a Keras optimiser, which decouples weight decay from the gradient.
        learning_rate: a float or a schedule.
        weight_decay: factor of the weight decay, a float.

    Raises:
        InputError: if Keras has no such optimiser.
    """
    if name == "sgd":
        return SGD(weight_decay, learning_rate=learning_rate, momentum=0.9, nesterov=True)
    # Keras expects `None` for an optimiser without weight decay.
    config = {"learning_rate": learning_rate, "weight_decay": weight_decay or None}
    try:
        return keras.optimizers.get({"class_name": name, "config": config})
    except (ValueError, TypeError) as error:
        raise InputError(
            "Unknown optimizer. Expected the name of a Keras optimizer, for example 'sgd' or "
            f"'adamw'. Received: {name!r}"
        ) from error
