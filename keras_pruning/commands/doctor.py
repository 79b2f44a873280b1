"""`doctor`: plants wrong labels and measures which scores find them."""

from keras_pruning.commands.config_options import add_config, config_and_output
from keras_pruning.probing.plan import ScoringPlan
from keras_pruning.wrong_labels.report import FILES, as_tables

HELP = "Plant label noise and measure which scores find it."
# Scores that find wrong labels, on average over several models.
_DEFAULTS = {"scores": ["aum", "confidence", "el2n"], "probe.seeds": 3}


def add_arguments(parser):
    """Adds the options of the command."""
    add_config(parser)
    parser.set_defaults(_DEFAULTS)
    parser.add_argument(
        "--noise", type=float, default=0.1, help="fraction of the labels to replace, in (0, 0.5]"
    )
    parser.add_argument(
        "--suspects",
        type=int | None,
        nargs="?",
        const=100,
        metavar="N",
        help="list the N examples of the clean data most likely mislabelled (100 if N is left "
        "out); trains the probes once more, on the labels as they are",
    )


def run(values):
    """Examines the scores of a config and shows the diagnosis."""
    from keras_pruning.wrong_labels.examination import examine

    config, output = config_and_output(values)
    examination = examine(ScoringPlan.from_config(config), output, values.noise, values.suspects)
    # The measurements first, then the advice and the list of suspects
    for title, table in as_tables(examination.diagnosis):
        yield title
        yield table
    yield from examination.advice
    for name in FILES:
        yield f"{examination.folder / name}"
    if examination.suspects is not None:
        yield from examination.suspects.sentences
        for path in examination.suspects.files:
            yield f"{path}"
