"""`score`: scores the examples of a config."""

import dataclasses
import shlex

from keras_pruning.commands.config_options import add_config, config_and_output
from keras_pruning.commands.plan_option import add_plan, show_plan
from keras_pruning.commands.task_options import add_tasks, tasks_of
from keras_pruning.errors import InputError
from keras_pruning.probing.checkpoint_files import find_checkpoints
from keras_pruning.probing.plan import ScoringPlan

HELP = "Score the training examples."


def add_arguments(parser):
    """Adds the options of the command."""
    add_config(parser)
    parser.add_argument(
        "--checkpoints",
        type=str | None,
        help="score with saved models instead of probes: 'DIR/*.keras', in the order of their "
        "numbers, each counted as one epoch",
    )
    parser.add_argument(
        "--fraction", type=float | None, help="score only this part, with --extrapolate"
    )
    parser.add_argument(
        "--extrapolate",
        action="store_true",
        help="estimate the scores of the other examples from their nearest neighbours",
    )
    add_tasks(parser)
    add_plan(parser)


def run(values):
    """Scores the examples, or reuses their scores, and reports on them, or shows the plan."""
    from keras_pruning.probing.scoring import score
    from keras_pruning.reports.html.views import NAME, require_free
    from keras_pruning.reports.scores import report

    tasks = tasks_of(values)
    config, output = config_and_output(values)
    config = _extrapolating(config, values.fraction, values.extrapolate)
    if config.probe.split == "test" and not values.output:
        output = output / "test"
    checkpoints = None if values.checkpoints is None else find_checkpoints(values.checkpoints)
    if output.is_dir():
        require_free(output / NAME)
    plan = ScoringPlan.from_config(config, checkpoints, tasks)
    if values.plan:
        from keras_pruning.preflight.scoring import forecast_scoring

        yield from show_plan("score", lambda: forecast_scoring([plan], [output]), output)
        return
    table = score(plan, output)
    yield from report(table)
    with tasks.alone(output / NAME):
        _write_page(output / NAME, table, plan, values.checkpoints)
    yield f"{output / 'scores.parquet'} (as a spreadsheet: {output / 'scores.csv'})"
    yield f"{output / NAME} (to open in a browser)"


def _write_page(path, table, plan, checkpoints):
    """Writes the page of the scores of a plan.

    Args:
        path: path of the page.
        table: `ScoreTable`.
        plan: `ScoringPlan`.
        checkpoints: value of --checkpoints, or `None`.
    """
    from keras_pruning.reports.html.gallery_entries import Scored
    from keras_pruning.reports.html.score_recipe import score_recipe_section
    from keras_pruning.reports.html.scores_page import write_scores_page
    from keras_pruning.wrong_labels.finished_suspects import finished_suspects

    command = "score"
    if checkpoints is not None:
        command += f" --checkpoints {shlex.quote(checkpoints)}"
    recipe = score_recipe_section(table, command, plan.settings)
    examples = plan.data.all
    scored = Scored(table, examples, finished_suspects(path.parent, examples), path.parent)
    write_scores_page(path, scored, recipe)


def _extrapolating(config, fraction, extrapolate):
    """Returns the config with `probe.fraction` as the flags say, which must come together."""
    if fraction is not None and not extrapolate:
        raise InputError(
            "--fraction does not say how to treat the other examples. Expected --extrapolate "
            "beside it, to estimate their scores, or --dataset.fraction in its place, to leave "
            f"them out. Received: --fraction {fraction}"
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
