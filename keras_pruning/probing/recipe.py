"""The recipe of a score table: everything in the config but a named list."""

from pathlib import Path

from keras_pruning.errors import InputError
from keras_pruning.models.architecture import architecture
from keras_pruning.probing.estimates import NEIGHBOURS
from keras_pruning.recipes import (
    EXAMPLES_SAY,
    environment,
    file_digest,
    settings,
    source_digest,
    versions,
)

# Keys of the config that cannot change a score, and the reason of each.
CANNOT_MATTER = {
    **EXAMPLES_SAY,
    "probe.seeds": "`scores_of_each_seed` has the seeds",
    "probe.jobs": "probes do not see each other",
    "probe.threads": "`threads` has the number that is used",
    "probe.split": "`examples` and `support` have their split",
    "scores": "`scores_of_each_seed` or `scores` has them",
    "seed": "`scores_of_each_seed` and `probe.part_seed` have what follows from it",
    "training.epochs": "probes train for `probe.epochs`",
    "training.budget": "probes train for epochs",
    "training.dynamic": "probes train on all examples",
    "sweep": "it begins when the scores are there",
}
# Of trained checkpoints, nothing that says how a probe trains.
CANNOT_MATTER_TO_CHECKPOINTS = {
    **CANNOT_MATTER,
    "model": "the checkpoints have the architecture",
    "training": "the checkpoints are trained",
    "probe.epochs": "the checkpoints are trained",
}


def scoring_recipe(plan):
    """Returns everything that a score table depends on, a dictionary for JSON.

    Args:
        plan: `ScoringPlan`.

    Raises:
        InputError: if the examples cannot be loaded or an embedding file is missing.
    """
    data = plan.data
    left_out = CANNOT_MATTER_TO_CHECKPOINTS if plan.checkpoints else CANNOT_MATTER
    recipe = {
        "examples": data.all.provenance,
        "support": data.trained_on.provenance if data.unseen else None,
        **settings(plan.as_config(), left_out),
        "embeddings": _embedding_files(plan.entries),
        "threads": plan.threads,
        "versions": versions(),
        "environment": environment(),
    }
    recipe["probe"] |= _part(data)
    if plan.checkpoints:
        recipe["checkpoints"] = [[Path(path).name, file_digest(path)] for path in plan.checkpoints]
        recipe["scores"] = [_with_file_name(entry) for entry in plan.entries]
    else:
        spec, classes = data.all.spec, data.all.num_classes
        recipe["model_source"] = source_digest(plan.model.name)
        recipe["model_as_built"] = architecture(plan.model, spec, classes, plan.threads)
        recipe["scores_of_each_seed"] = {
            seed: [_with_file_name(entry) for entry in entries]
            for seed, entries in plan.scores_of_each_seed.items()
        }
    return recipe


def _part(data):
    """Returns how the scored part was drawn and the others are estimated, if there is a part."""
    if data.fraction == 1:
        return {"part_seed": None, "neighbours": None}
    return {"part_seed": data.seed, "neighbours": NEIGHBOURS}


def _embedding_files(entries):
    """Returns name and hash of each file that a score takes its embedding from."""
    paths = [entry["embedding"] for entry in entries if isinstance(entry.get("embedding"), str)]
    for path in paths:
        if not Path(path).is_file():
            raise InputError(
                f"Missing embedding file. Expected a .npy or .keras file. Received: {path}"
            )
    return [[Path(path).name, file_digest(path)] for path in paths]


def _with_file_name(entry):
    """Returns the entry with the name of its embedding file, which counts wherever it lies."""
    if not isinstance(entry.get("embedding"), str):
        return entry
    return {**entry, "embedding": Path(entry["embedding"]).name}
