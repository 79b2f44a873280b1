"""`duplicates`: finds near duplicates among training examples, and leaks to test examples."""

import dataclasses
import logging
from pathlib import Path

from keras_pruning.backend.startup import import_tensorflow
from keras_pruning.commands.config_options import add_config, config_and_output
from keras_pruning.embeddings.directions import require_threshold
from keras_pruning.embeddings.sources import PIXELS, is_array, require_vector_source
from keras_pruning.errors import InputError
from keras_pruning.examples.splits import Splits
from keras_pruning.recipes import environment, file_digest, require_same_recipe, versions
from keras_pruning.reports.duplicates import lines, pictures, summary, write_groups, write_leaks
from keras_pruning.selection import Subset
from keras_pruning.selection.embedding import open_embedding
from keras_pruning.selection.policies.deduplicate import Deduplicate
from keras_pruning.storage import (
    RECIPE,
    AlreadyExists,
    new_folder,
    read_json,
    require_writable,
    write_json,
)

HELP = "Find near duplicates, wrong labels among them, and leaks from train to test."
SUMMARY, SUBSET = "duplicates.json", "deduplicated.parquet"
# Files of the folder, in the order that the terminal names them.
FILES = ("duplicates.csv", "leaks.csv", "*.png", SUBSET, "embedding.npy", "test_embedding.npy")

logger = logging.getLogger("keras_pruning")


def add_arguments(parser):
    """Adds the options of the command."""
    add_config(parser, "runs/CONFIG NAME/duplicates", "the results")
    parser.add_argument(
        "--embedding",
        type=str,
        default=PIXELS,
        help="pixels (the inputs, flattened), FILE.npy (a row for each training example), or "
        "FILE.keras (the input of the last layer of a classifier, the output of another model)",
    )
    parser.add_argument("--layer", type=str | None, help="layer of the model of --embedding")
    parser.add_argument(
        "--test-embedding", type=str | None, help="with FILE.npy: that of the test examples"
    )
    parser.add_argument(
        "--threshold", type=float, default=0.05, help="largest 1 - cosine of near examples"
    )
    parser.add_argument("--leaks", type=bool, default=True, help="whether to compare with the test")


def run(values):
    """Finds and reports duplicates and leaks, or reuses the report that is there."""
    _require_options(values)
    config, output = config_and_output(values)
    folder = output if values.output else output / "duplicates"
    splits = Splits(**dataclasses.asdict(config.dataset))
    train, test = splits.train, splits.test if _looks_for_leaks(values) else None
    # The recipe needs no TensorFlow, so that a finished report is shown at once.
    recipe = _recipe(values, train, test)
    if _is_finished(folder, recipe):
        logger.info("Reused %s: it has the same recipe.", folder)
    else:
        require_writable(folder)
        _write(folder, recipe, values, train, test)
    yield from lines(read_json(folder / SUMMARY))
    if test is None and values.leaks:
        yield "No test examples were compared. Name --test-embedding to look for leaks."
    for pattern in FILES:
        for path in sorted(folder.glob(pattern)):
            yield f"{path}"


def _require_options(values):
    """Raises an `InputError` for options that are invalid or do not fit together."""
    require_threshold(values.threshold)
    require_vector_source(values.embedding)
    is_file = is_array(values.embedding)
    if values.test_embedding is not None:
        if not (is_file and is_array(values.test_embedding)):
            raise InputError(
                "Invalid --test-embedding. Expected a .npy file, together with a .npy file as "
                f"--embedding. Received: {values.test_embedding} with {values.embedding}"
            )
        require_vector_source(values.test_embedding)
    if values.layer is not None and not values.embedding.endswith(".keras"):
        raise InputError(
            "Invalid --layer. Expected a .keras file as --embedding, which has layers. "
            f"Received: {values.layer} with {values.embedding}"
        )


def _looks_for_leaks(values):
    return values.leaks and (not is_array(values.embedding) or values.test_embedding is not None)


def _recipe(values, train, test):
    """Returns everything that the result depends on, a dictionary for JSON."""
    sources = values.embedding, values.test_embedding
    is_file = is_array(values.embedding)
    return {
        "examples": train.provenance,
        "test_examples": None if test is None else test.provenance,
        "embedding": [
            [Path(source).name, file_digest(source)] if Path(source).suffix else source
            for source in (sources if is_file else sources[:1])
            if source is not None
        ],
        "layer": values.layer,
        "threshold": values.threshold,
        "versions": versions(),
        "environment": environment(),
    }


def _is_finished(folder, recipe):
    """Returns whether the folder holds a report of this recipe.

    Raises:
        InputError: if the folder holds anything else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if not (folder / RECIPE).is_file() or not (folder / SUMMARY).is_file():
        raise InputError(
            f"{folder} holds something else. Expected a report on duplicates, or no such folder. "
            f"Received: no {SUMMARY} in it. Choose another --output, or remove it yourself."
        )
    require_same_recipe(folder, read_json(folder / RECIPE), recipe)
    return True


def _write(folder, recipe, values, train, test):
    """Embeds the examples, searches, and writes the folder."""
    # Imported here, because it takes seconds and writes greetings.
    import_tensorflow()
    from keras_pruning.embeddings.leaks import leaks
    from keras_pruning.embeddings.near_duplicates import near_duplicates
    from keras_pruning.embeddings.vector_files import write_vectors

    try:
        with new_folder(folder) as partial:
            vectors = partial / "embedding.npy"
            write_vectors(vectors, train, values.embedding, values.layer)
            groups = near_duplicates(vectors, values.threshold, train.labels)
            # The test examples get the same features from the same source.
            leaked = None
            if test is not None:
                others, source = partial / "test_embedding.npy", values.test_embedding
                write_vectors(others, test, source or values.embedding, values.layer)
                leaked = leaks(vectors, others, values.threshold)
                write_leaks(partial / "leaks.csv", train, test, leaked)
            # Tables and pictures first, then the files that other commands read.
            write_groups(partial / "duplicates.csv", train, groups)
            _write_pictures(partial, pictures(train, groups, test, leaked))
            digest = open_embedding(vectors, len(train)).digest
            _subset(train, groups, digest).save(partial / SUBSET)
            write_json(partial / SUMMARY, summary(train, groups, leaked))
            write_json(partial / RECIPE, recipe)
    except AlreadyExists:
        # Another process has written it in the meantime.
        if not _is_finished(folder, recipe):
            raise


def _write_pictures(folder, drawn):
    """Writes pictures as PNG files and for TensorBoard."""
    if not drawn:
        return
    from PIL import Image

    from keras_pruning.reports.event_files import EventFile

    with EventFile(folder) as events:
        for name, (pixels, title) in drawn.items():
            Image.fromarray(pixels).save(folder / f"{name}.png", format="png")
            events.image(f"duplicates/{name}", pixels, description=title)


def _subset(train, groups, digest):
    """Returns the `Subset` of the kept examples."""
    kept = int(groups.keep.sum())
    selection = {
        "by": None,
        "policy": Deduplicate.name,
        "policy_options": {"threshold": groups.threshold},
        "quota": None,
        "quota_options": {},
        "keep_fraction": kept / len(train),
        "kept": kept,
        "seed": None,
        "extrapolated": False,
        "embedding": digest,
    }
    metadata = {"examples": train.provenance, "selection": selection}
    return Subset(train.ids, train.labels, groups.keep, metadata)
