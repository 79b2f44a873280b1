"""The command line: each subcommand loads its config, calls one function, says where it lies."""

import dataclasses
import logging
import os
import sys
from pathlib import Path

from jsonargparse import ArgumentParser

from keras_pruning.config import Config
from keras_pruning.errors import InputError
from keras_pruning.jobs.local import interruptible, progress, run_each, thread_count

logger = logging.getLogger("keras_pruning")


class _Parser(ArgumentParser):
    """A parser whose errors are one message, without the pages of usage.

    Abbreviated options are errors too: `--dataset.nam` would pass for a key that exists.
    """

    def __init__(self, **options):
        super().__init__(allow_abbrev=False, **options)

    def error(self, message, ex=None):
        self.exit(2, f"error: {message}\n")


def make_parser():
    """The parser of all subcommands."""
    parser = _Parser(
        prog=Path(sys.argv[0]).name,
        description="Prunes training data, not weights: finds out which examples are hard, wrong "
        "or redundant, prunes them, retrains, and tells whether it paid.",
    )
    commands = parser.add_subcommands(title="commands", metavar="COMMAND")
    for name, (help_text, add_arguments, _) in COMMANDS.items():
        command = _Parser(description=help_text)
        add_arguments(command)
        commands.add_subcommand(name, command, help=help_text)
    return parser


def main(arguments=None):
    """Runs one command.

    Args:
        arguments: list of strings; by default those of the process.

    Returns:
        Exit code: 0, or 2 after a mistake that the message explains.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    logger.setLevel(logging.INFO)
    parser = make_parser()
    try:
        namespace = parser.parse_args(arguments)
        command = namespace.subcommand
        values = parser.instantiate(namespace)[command]
        with interruptible():
            COMMANDS[command][2](values)
    except (InputError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"error: {error.strerror or error}: {error.filename}", file=sys.stderr)
        return 2
    except UnicodeDecodeError as error:
        print(f"error: Expected a text file. Received: a binary one ({error})", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted. Finished runs are kept and will be reused.", file=sys.stderr)
        return 130
    return 0


def _add_config(command, default="runs/CONFIG NAME"):
    command.add_argument("--config", action="config", help="YAML file; see configs/")
    command.add_class_arguments(Config)
    command.add_argument(
        "--output", type=str | None, help=f"folder of the results (default: {default})"
    )


def _config_and_output(values):
    from keras_pruning.backend.startup import require_tensorflow

    require_tensorflow()
    fields = [field.name for field in dataclasses.fields(Config)]
    config = Config(**{name: values[name] for name in fields})
    name = Path(str(values.config[-1])).stem if values.config else "default"
    return config, Path(values.output or Path("runs") / name)


def _add_score(command):
    _add_config(command)
    command.add_argument(
        "--checkpoints",
        type=str | None,
        help="score with saved models instead of probes: 'DIR/*.keras', in the order of their "
        "numbers, each counted as one epoch",
    )
    command.add_argument(
        "--fraction", type=float | None, help="score only this part, with --extrapolate"
    )
    command.add_argument(
        "--extrapolate",
        action="store_true",
        help="carry the scores of that part over to the rest, from nearest neighbours",
    )


def _score(values):
    from keras_pruning.probing.scoring import find_checkpoints, score
    from keras_pruning.reports.scores import report

    config, output = _config_and_output(values)
    config = _extrapolating(config, values.fraction, values.extrapolate)
    if config.probe.split == "test" and not values.output:
        output = output / "test"
    checkpoints = None if values.checkpoints is None else find_checkpoints(values.checkpoints)
    for part in report(score(config, output, checkpoints)):
        _print(part)
    print(f"{output / 'scores.parquet'} (for people: {output / 'scores.csv'})")


def _extrapolating(config, fraction, extrapolate):
    """The config with `probe.fraction` as the flags have it, which must come together."""
    if fraction is not None and not extrapolate:
        raise InputError(
            "--fraction alone leaves open what becomes of the other examples. Expected "
            "--extrapolate beside it, to carry the scores over to them, or --dataset.fraction in "
            f"its place, to leave them out. Received: --fraction {fraction}"
        )
    if fraction is None:
        if extrapolate and config.probe.fraction == 1:
            raise InputError(
                "--extrapolate needs to know how many examples to score. Expected --fraction "
                "beside it, for example --fraction 0.2. Received: none"
            )
        return config
    if config.probe.fraction not in (1, fraction):
        raise InputError(
            "Expected --fraction or probe.fraction. Received both: "
            f"--fraction {fraction}, probe.fraction {config.probe.fraction}"
        )
    probe = dataclasses.replace(config.probe, fraction=fraction)
    return dataclasses.replace(config, probe=probe)


def _add_prune(command):
    command.add_argument("--scores", type=str, required=True, help="scores.parquet of `score`")
    command.add_argument("--by", type=str | None, help="name of the score")
    command.add_argument("--keep-fraction", type=float, required=True, help="in (0, 1]")
    command.add_argument("--policy", type=str, default="hardest", help="which examples to keep")
    command.add_argument("--quota", type=str | None, help="balanced: equal share of every class")
    command.add_argument("--seed", type=int, default=0, help="breaks ties and draws")
    command.add_argument("--output", type=str, required=True, help="subset file to write")


def _prune(values):
    from keras_pruning.recipes import require_same_recipe
    from keras_pruning.selection import Subset, select
    from keras_pruning.tables.score_table import ScoreTable

    table = ScoreTable.load(values.scores)
    subset = select(
        table, values.by, values.keep_fraction, values.policy, values.quota, values.seed
    )
    if Path(values.output).exists():
        require_same_recipe(values.output, Subset.load(values.output).metadata, subset.metadata)
        print(f"Reused {values.output}: it has the same recipe.")
    else:
        subset.save(values.output)
    print(f"Kept {len(subset):,} of {len(table):,} examples.")
    print(values.output)


def _add_train(command):
    _add_config(command, "runs/CONFIG NAME/train/METHOD/keep-FRACTION/seed-SEED")
    command.add_argument("--subset", type=str | None, help="subset file of `prune`")


def _train(values):
    from keras_pruning.selection import Subset
    from keras_pruning.training.run import TrainingRun, load_both, run_folder, run_training

    config, output = _config_and_output(values)
    subset = Subset.load(values.subset) if values.subset else None
    examples, test = load_both(config)
    if subset is not None:
        examples.keep(subset)
    if not values.output:
        output = output / "train" / run_folder(subset, config.seed)
    run = TrainingRun(
        config, subset, config.seed, output, examples.provenance, test.provenance, thread_count(1)
    )
    if run.is_finished():
        print(f"Reused {output}: it has the same recipe.")
    else:
        call = {"run": run, "verbose": progress(1, 1)}
        (metrics,) = run_each(run_training, [call], 1, run.threads, "training run")
        print(
            f"Test accuracy {metrics['test_accuracy']:.2%} after training on "
            f"{metrics['examples_kept']:,} examples, {metrics['steps']:,} steps, "
            f"{metrics['seconds']:.1f} s."
        )
    print(output / "metrics.json")


def _sweep(values):
    from keras_pruning.comparison.sweep import sweep

    config, output = _config_and_output(values)
    _show(sweep(config, output), output)


def _add_doctor(command):
    _add_config(command)
    command.add_argument(
        "--noise", type=float, default=0.1, help="part of the labels to replace, in (0, 0.5]"
    )
    command.add_argument(
        "--suspects",
        type=int | None,
        nargs="?",
        const=100,
        metavar="N",
        help="list the N examples of the clean data most likely mislabelled (100 if N is left "
        "out); trains the probes once more, on the labels as they are",
    )


def _doctor(values):
    from keras_pruning.doctor.examination import examine
    from keras_pruning.doctor.report import FILES, as_tables

    config, output = _config_and_output(values)
    found = examine(config, output, values.noise, values.suspects)
    for title, table in as_tables(found.diagnosis):
        _print(title)
        _print(table)
    print("\n".join(found.advice))
    for name in FILES:
        print(found.folder / name)
    if found.suspects is not None:
        print("\n".join(found.suspects.sentences))
        for path in found.suspects.files:
            print(path)


def _add_compare(command):
    command.add_argument("--runs", type=str, required=True, help="folder with finished runs")


def _compare(values):
    from keras_pruning.comparison.report import write_comparison

    _show(write_comparison(values.runs), Path(values.runs))


def _show(rows, folder):
    from keras_pruning.comparison.report import FOLDER, as_table, cost_lines

    _print(as_table(rows))
    for line in cost_lines(folder, rows):
        print(line)
    print(f"{folder / FOLDER / 'comparison.csv'}")
    print(f"To look at it:  {Path(sys.executable).parent / 'tensorboard'} --logdir {folder}")
    # TensorBoard ticks no run where there are more than 40, unless the address names some.
    print("and open        http://localhost:6006/#custom_scalars&regexInput=comparison")


def _print(content):
    """Prints a line as it is, and a table as wide as the terminal."""
    if isinstance(content, str):
        print(content)
        return
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 108, highlight=False).print(content)


COMMANDS = {
    "score": ("Score the training examples.", _add_score, _score),
    "prune": ("Select the examples to keep by their scores.", _add_prune, _prune),
    "train": ("Train on all examples or on a subset.", _add_train, _train),
    "sweep": ("Score, prune, train and compare, over a grid.", _add_config, _sweep),
    "doctor": ("Plant label noise and tell which scores find it.", _add_doctor, _doctor),
    "compare": ("Compare finished runs.", _add_compare, _compare),
}
