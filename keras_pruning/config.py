"""The sections of a config file. A wrong value is an error when the config is read."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from keras_pruning.arguments import (
    require_boolean,
    require_fraction,
    require_label_noise,
    require_not_negative,
    require_positive,
    require_positive_integer,
    require_seed,
    require_seeds,
    require_test_fraction,
)
from keras_pruning.entries import (
    fraction_entries,
    method_entry,
    require_each_once,
    score_entry,
)
from keras_pruning.errors import InputError
from keras_pruning.selection.methods import dynamic_entry

Seeds = int | list[int]


@dataclass
class DatasetConfig:
    """The source of the examples.

    Args:
        name: a source, for example digits, npz:FILE or tfds:NAME. docs/data_and_models/sources.md
            lists all.
        fraction: fraction of the training examples to draw, stratified, before everything else.
        seed: seed of that draw, and of the label noise.
        data_dir: folder of the TFDS data sets.
        image_size: height and width in pixels that images of files and of tfds: are resized to.
        skip_broken: whether files that cannot be read are left out. Without it they are an error.
        scale: number that values are multiplied by. Defaults to 1/255 for pixels of files. 1 leaves
            them as they are, for models with their own scaling.
        test_fraction: fraction of all examples to test with, for sources without a test split.
        label_column: column of the label in csv: and parquet:. Defaults to label.
        id_column: column of the ids. Defaults to id, if there is one.
        split_column: column that says train or test. Defaults to split, if there is one.
        input_columns: columns of the inputs. Defaults to all others.
        image_column: column of paths of images, which are the inputs then.
        train_split: split of tfds: to train on, such as train[:80%]. Defaults to train.
        test_split: split of tfds: to test with. Defaults to test, otherwise to validation.
        label_noise: fraction of the training labels to replace by other classes, to test scores.
    """

    name: str = "digits"
    fraction: float = 1.0
    seed: int = 0
    data_dir: str | None = None
    image_size: int | None = None
    skip_broken: bool | None = None
    scale: float | None = None
    test_fraction: float | None = None
    label_column: str | None = None
    id_column: str | None = None
    split_column: str | None = None
    input_columns: list[str] | None = None
    image_column: str | None = None
    train_split: str | None = None
    test_split: str | None = None
    label_noise: float = 0.0

    def __post_init__(self):
        self.fraction = require_fraction(self.fraction, "dataset.fraction")
        self.seed = require_seed(self.seed, "dataset.seed")
        self.image_size = require_positive_integer("dataset.image_size", self.image_size)
        self.test_fraction = require_test_fraction(self.test_fraction, "dataset.test_fraction")
        self.label_noise = require_label_noise(self.label_noise, "dataset.label_noise")


@dataclass
class ModelConfig:
    """The model, for probes and for retraining.

    Args:
        name: a built-in model, for example cnn or resnet18, package.module:function or FILE.keras.
            docs/data_and_models/own_model.md lists all.
        width: filters or units of the first layer. Defaults to the model's own.
    """

    name: str = "cnn"
    width: int | None = None

    def __post_init__(self):
        self.width = require_positive_integer("model.width", self.width)

    @property
    def options(self):
        """Keyword arguments of the model's function, besides shape and classes."""
        return {} if self.width is None else {"width": self.width}


@dataclass
class ProbeConfig:
    """The models that examples are scored with. They train as in `training`.

    Args:
        epochs: length of a probe's training run. A probe stops once its scores are taken.
        seeds: number of probes, or a list of their seeds.
        jobs: number of probes that train at the same time, each in a process of its own.
        threads: CPU threads of each process. Defaults to the cores divided by the jobs.
        fraction: fraction of the examples, drawn stratified, that probes train on and score. The
            other examples get the scores of their nearest neighbours.
        split: train scores the examples that probes train on. test scores the examples of the test
            set, with neighbours and prototypes from the training set.
        scoring_batch_size: examples in a batch of the scoring passes. Fewer take less memory.
    """

    epochs: int = 10
    seeds: Seeds = 1
    jobs: int = 1
    threads: int | None = None
    fraction: float = 1.0
    split: Literal["train", "test"] = "train"
    scoring_batch_size: int = 256

    def __post_init__(self):
        for name in ("epochs", "jobs", "threads", "scoring_batch_size"):
            setattr(self, name, require_positive_integer(f"probe.{name}", getattr(self, name)))
        self.seeds = require_seeds("probe.seeds", self.seeds)
        self.fraction = require_fraction(self.fraction, "probe.fraction")
        if self.split == "test" and self.fraction < 1:
            raise InputError(
                "Scores of test examples cannot be estimated from neighbours. "
                "Expected probe.fraction: 1. "
                f"Received: {self.fraction}, with probe.split: test"
            )


@dataclass
class TrainingConfig:
    """The training of a model.

    Args:
        epochs: passes over the data. With budget=steps, passes over the data before pruning.
        batch_size: examples in a step.
        budget: steps trains every subset for as many steps as the full data, epochs for as many
            passes.
        optimizer: sgd (Nesterov momentum 0.9) or the name of a Keras optimizer.
        learning_rate: learning rate of the first step.
        schedule: step falls to a fifth at 30, 60 and 80 % of the run. Or cosine, or constant.
        weight_decay: factor of the weight decay.
        augmentation: flip_crop, or none.
        dynamic: a method that prunes while training, a name or {name, options}. docs/dynamic.md
            lists all.
    """

    epochs: int = 10
    batch_size: int = 128
    budget: Literal["steps", "epochs"] = "steps"
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    schedule: Literal["step", "cosine", "constant"] = "step"
    weight_decay: float = 5e-4
    augmentation: Literal["flip_crop"] | None = None
    # `dict` alone would leave the values of --training.dynamic.KEY as text
    dynamic: str | dict[str, Any] | None = None

    def __post_init__(self):
        self.dynamic = None if self.dynamic is None else dynamic_entry(self.dynamic)
        self.epochs = require_positive_integer("training.epochs", self.epochs)
        self.batch_size = require_positive_integer("training.batch_size", self.batch_size)
        self.learning_rate = require_positive("training.learning_rate", self.learning_rate)
        self.weight_decay = require_not_negative("training.weight_decay", self.weight_decay)


@dataclass
class SweepConfig:
    """The methods and fractions that a sweep compares. The full data and baselines are added.

    Those of each dynamic method see as many examples as it did, to half a percent.

    Args:
        methods: score names, which keep the hardest examples, or {by, policy, quota, embedding}.
            policy and quota are names, or {name, options}. embedding is a .npy file. Or {dynamic},
            a method that prunes while training, as in training.dynamic.
        keep_fractions: fractions of the examples to keep.
        data_fractions: fractions of the data set to start from. Defaults to dataset.fraction.
        seeds: number of evaluation seeds, or a list of them. Fixed before the sweep begins.
        baseline_seeds: those of random pruning, and of `rs2` and `shortened`. Defaults to twice as
            many from 8 on, else the same.
        jobs: number of training runs at the same time, each in a process of its own.
        threads: CPU threads of each process. Defaults to the cores divided by the jobs.
        save_models: whether to keep the trained model of every run.
        backend: local trains on this machine. ray trains on a Ray cluster, and scores there too.
    """

    methods: list[str | dict] = field(default_factory=lambda: ["el2n", "vog", "prediction_depth"])
    keep_fractions: list[float] = field(default_factory=lambda: [0.8, 0.6, 0.4, 0.2])
    data_fractions: list[float] | None = None
    seeds: Seeds = 8
    baseline_seeds: Seeds | None = None
    jobs: int = 1
    threads: int | None = None
    save_models: bool = False
    backend: Literal["local", "ray"] = "local"

    def __post_init__(self):
        self.methods = [method_entry(method) for method in self.methods]
        self.keep_fractions = fraction_entries("sweep.keep_fractions", self.keep_fractions)
        if self.data_fractions is not None:
            self.data_fractions = fraction_entries("sweep.data_fractions", self.data_fractions)
        require_each_once(self.methods)
        self.jobs = require_positive_integer("sweep.jobs", self.jobs)
        self.threads = require_positive_integer("sweep.threads", self.threads)
        self.seeds = require_seeds("sweep.seeds", self.seeds)
        if self.baseline_seeds is not None:
            self.baseline_seeds = require_seeds("sweep.baseline_seeds", self.baseline_seeds)
        self.save_models = require_boolean("sweep.save_models", self.save_models)


@dataclass
class Config:
    """Everything that a run depends on.

    Args:
        dataset: source of the examples.
        model: the model.
        probe: the models that examples are scored with.
        scores: names of scores, or {name, seeds, options of the score}. all adds every score of the
            registry that is not listed with options.
        training: training of the models.
        sweep: methods and fractions that a sweep compares.
        seed: seed of `train` and of the draw of probe.fraction. The probes' seeds count from it.
    """

    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    probe: ProbeConfig = field(default_factory=ProbeConfig)
    scores: list[str | dict] | str = field(
        default_factory=lambda: ["el2n", "vog", "prediction_depth"]
    )
    training: TrainingConfig = field(default_factory=TrainingConfig)
    sweep: SweepConfig = field(default_factory=SweepConfig)
    seed: int = 0

    def __post_init__(self):
        self.seed = require_seed(self.seed)
        listed = [self.scores] if isinstance(self.scores, str) else self.scores
        self.scores = [score_entry(score) for score in listed]
        names = [score["name"] for score in self.scores]
        if not names or len(set(names)) < len(names):
            raise InputError(
                f"Invalid `scores`. Expected at least one, each once. Received: {names}"
            )

    def as_dict(self):
        """Returns the config as nested dictionaries."""
        return asdict(self)


def seed_list(seeds, first=0):
    """Returns the seeds of an entry `seeds`: the list itself, or that many counted from `first`."""
    return list(seeds) if isinstance(seeds, list) else list(range(first, first + seeds))
