"""Scores of real text and of a real table, with planted wrong labels and as they are.

Text: quotations of eight subjects in Debian's package `fortunes`.
Table: 6,000 of the diamonds in the package `pydataset`, six numbers and two texts each.

python benchmarks/text_and_tables.py FOLDER [text | table]

`docs/text_and_tables.md` has the commands that put both into FOLDER.
"""

import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

import keras_pruning as kp
from keras_pruning.wrong_labels.predicted_class import PredictedClass

SUBJECTS = ("computers", "definitions", "food", "love", "medicine", "politics", "science", "work")
CUTS = ("Fair", "Good", "Very Good", "Premium", "Ideal")
NUMBERS = ("carat", "depth", "table", "x", "y", "z")
TEXTS = ("color", "clarity")
SCORES = ("el2n", "aum", "forgetting", "confidence", "vog")
SEEDS = (0, 1, 2)
NOISE, SUSPECTS = 0.1, 12


def quotations(folder):
    """Returns the quotations as examples of strings. Ids are file and position."""
    texts, subjects, ids = [], [], []
    for subject in SUBJECTS:
        path = next(folder.glob(f"**/fortunes/{subject}"))
        parts = path.read_text(encoding="utf-8").split("\n%\n")
        for number, part in enumerate(parts):
            if part.strip(" \n%"):
                texts.append(" ".join(part.split()))
                subjects.append(subject)
                ids.append(f"{subject}:{number}")
    return kp.Examples.from_arrays(texts, subjects, ids=ids)


def text_model(examples):
    """Returns a model of the mean embedding of a text's words.

    Without the hidden layer the logits would be linear in the embeddings, and VoG would be the same
    for all texts.
    """
    texts = np.array(examples.stored_inputs(np.arange(len(examples))), dtype=object)
    tokens = keras.layers.TextVectorization(max_tokens=8000, output_sequence_length=60)
    tokens.adapt(texts)
    inputs = keras.Input((), dtype="string")
    words = keras.layers.Embedding(8000, 32, mask_zero=True)(tokens(inputs))
    hidden = keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling1D()(words))
    hidden = keras.layers.Dense(32, activation="relu")(hidden)
    return keras.Model(inputs, keras.layers.Dense(examples.num_classes)(hidden))


def diamonds(folder):
    """Returns diamonds as examples of a data frame, with their cut as the label."""
    frame = pd.read_csv(next(folder.glob("**/ggplot2/diamonds.csv")), index_col=0)
    frame = frame.sample(6000, random_state=0)
    columns = frame[[*NUMBERS, *TEXTS]]
    return kp.Examples.from_arrays(columns, frame["cut"])


def table_model(examples):
    """Returns a model of the columns: normalised numbers and texts as one-hot categories."""
    columns = examples.stored_inputs(np.arange(len(examples)))
    inputs = {name: keras.Input((), name=name) for name in NUMBERS}
    inputs |= {name: keras.Input((), name=name, dtype="string") for name in TEXTS}
    parts = []
    for name in NUMBERS:
        normalise = keras.layers.Normalization(axis=None)
        normalise.adapt(np.asarray(columns[name], "float32"))
        parts.append(keras.layers.Reshape((1,))(normalise(inputs[name])))
    for name in TEXTS:
        lookup = keras.layers.StringLookup(output_mode="one_hot")
        lookup.adapt(np.array(columns[name], dtype=object))
        parts.append(lookup(keras.layers.Reshape((1,))(inputs[name])))
    hidden = keras.layers.Dense(64, activation="relu")(keras.layers.Concatenate()(parts))
    hidden = keras.layers.Dense(64, activation="relu")(hidden)
    return keras.Model(inputs, keras.layers.Dense(examples.num_classes)(hidden))


CASES = {"text": (quotations, text_model, 12, 0.005), "table": (diamonds, table_model, 12, 0.003)}


def tables(examples, model_of, epochs, learning_rate):
    """Returns the score table of one fit for each seed."""
    results = []
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        model = model_of(examples)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(learning_rate), loss, metrics=["accuracy"])
        scores = [*SCORES, PredictedClass(epoch=epochs // 3)]
        callback = kp.ScoreCallback(examples, scores)
        batches = examples.batches(64, shuffle=True, seed=seed)
        history = model.fit(batches, epochs=epochs, shuffle=False, callbacks=[callback], verbose=0)
        accuracy = history.history["accuracy"]
        print(
            f"seed {seed}: accuracy {accuracy[epochs // 3 - 1]:.2f}, at the end {accuracy[-1]:.2f}"
        )
        results.append(callback.table())
    return results


def mean_difficulty(results, name):
    return np.mean([table.difficulty(name) for table in results], axis=0)


def planted(examples, results, is_wrong):
    """Prints how well each score detects the planted labels."""
    print(f"\n{is_wrong.sum()} of {len(examples)} labels planted\nscore       AUROC  mean of seeds")
    for name in SCORES:
        single = [roc_auc_score(is_wrong, table.difficulty(name)) for table in results]
        together = roc_auc_score(is_wrong, mean_difficulty(results, name))
        print(f"{name:11s} {together:.3f}  {np.mean(single):.3f}")


def suspects(examples, results):
    """Prints the hardest examples by AUM whose label no seed predicts."""
    votes = np.stack([table["predicted_class"].astype(int) for table in results])
    contradicted = (votes != examples.labels).all(axis=0) & (votes == votes[0]).all(axis=0)
    ranking = np.argsort(-mean_difficulty(results, "aum"), kind="stable")
    listed = ranking[contradicted[ranking]]
    print(f"\n{len(listed)} of {len(examples)} labels contradicted by all seeds")
    for row in listed[:SUSPECTS]:
        x = examples.stored_inputs(np.array([row]))
        names = examples.class_names[examples.labels[row]], examples.class_names[votes[0, row]]
        print(f"{examples.ids[row]}: {names[0]}, predicted {names[1]}\n    {described(x)[:200]}")


def described(x):
    if isinstance(x, dict):
        return ", ".join(f"{name} {as_text(values[0])}" for name, values in x.items())
    return as_text(x[0])


def as_text(value):
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, str) else f"{value:.4g}"


def main(folder, *names):
    for name in names or CASES:
        source, model_of, epochs, learning_rate = CASES[name]
        examples = source(Path(folder))
        print(f"\n== {name}: {len(examples)} examples, classes {', '.join(examples.class_names)}")
        noisy = examples.with_label_noise(NOISE, seed=0)
        results = tables(noisy, model_of, epochs, learning_rate)
        planted(noisy, results, noisy.labels != examples.labels)
        suspects(examples, tables(examples, model_of, epochs, learning_rate))


if __name__ == "__main__":
    main(*sys.argv[1:])
