"""Suspects and the doctor from Python, for new models and for trained ones."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import keras_pruning as kp
from keras_pruning import InputError

X, Y = load_digits(return_X_y=True)
X = (X.reshape(-1, 8, 8, 1) / 16).astype("float32")
CLEAN = kp.Examples.from_arrays(X, Y, ids=[f"d{row}" for row in range(len(Y))])


def trained(examples, scores, epochs=8):
    """Returns a small model that has trained on examples, and the table of its scores."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(X.shape[1:]),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005), loss)
    callback = kp.ScoreCallback(examples, scores, verify=False)
    batches = examples.batches(32, shuffle=True)
    model.fit(batches, epochs=epochs, shuffle=False, callbacks=[callback], verbose=0)
    return model, callback.table()


@pytest.fixture(scope="module")
def noisy():
    """Digits of which one in ten has a wrong label, with a model and the scores of its training."""
    examples = CLEAN.with_label_noise(0.1, seed=3)
    return examples, *trained(examples, ["aum", "el2n"])


def test_suspects_are_the_hardest_of_the_first_score(noisy):
    examples, _, table = noisy
    listed = kp.suspects(table, examples, count=50)
    assert listed.score == "aum"
    order = np.argsort(table["aum"])[:50]
    assert sorted(listed.rows) == sorted(order)
    wrong = examples.labels[listed.rows] != Y[listed.rows]
    assert wrong.mean() > 0.9
    np.testing.assert_array_equal(listed.ids, examples.ids[listed.rows])
    assert f"<SuspectList of 50 of 1,797 by aum: {listed.ids[0]}" in repr(listed)


def test_a_model_lists_only_contradicted_labels(noisy):
    examples, model, table = noisy
    listed = kp.suspects(table, examples, by="el2n", model=model, count=10_000)
    logits = model.predict(X, verbose=0)
    contradicted = np.flatnonzero(logits.argmax(axis=1) != examples.labels)
    assert sorted(listed.rows) == contradicted.tolist()
    assert (np.diff(table["el2n"][listed.rows]) <= 0).all()
    for predictions in (logits, logits.argmax(axis=1)):
        again = kp.suspects(table, examples, by="el2n", predictions=predictions, count=10_000)
        np.testing.assert_array_equal(again.rows, listed.rows)


def test_a_list_as_pandas_csv_and_picture(noisy, tmp_path):
    examples, model, table = noisy
    listed = kp.suspects(table, examples, model=model, count=12)
    frame = listed.to_pandas()
    assert list(frame) == ["label", "label_name", "predicted", "predicted_name", "aum"]
    assert frame.index.tolist() == listed.ids.tolist()
    np.testing.assert_array_equal(frame["label"], examples.labels[listed.rows])
    listed.to_csv(tmp_path / "s.csv")
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert lines[0] == "rank,id,label,label_name,predicted,predicted_name,aum"
    assert lines[1].startswith(f"1,{listed.ids[0]},")
    assert len(lines) == 13
    with pytest.raises(InputError, match="exists"):
        listed.to_csv(tmp_path / "s.csv")
    listed.save_picture(tmp_path / "s.png")
    assert (tmp_path / "s.png").read_bytes()[:4] == b"\x89PNG"


def test_positions_are_integers_in_pandas():
    examples = kp.Examples.from_arrays(X[:20], Y[:20])
    table = kp.scores_from_probabilities(np.eye(10)[Y[:20]], examples.labels)
    assert kp.suspects(table, examples).to_pandas().index.dtype == "int64"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "vog"}, "Unknown score in the table.*'aum', 'el2n'"),
        ({"count": 0}, "Invalid `count`.*positive integer"),
        ({"predictions": [1.5] * 3}, r"Invalid `predictions`. .*\(1797, 10\).*a list of 3"),
        ({"predictions": np.full((len(Y), 10), np.nan)}, "or finite floats of shape"),
        ({"predictions": np.full(len(Y), 10)}, "Expected classes in 0 … 9"),
        ({"predictions": Y, "model": "m.keras"}, "Expected `model` or `predictions`"),
    ],
)
def test_suspects_refuse(noisy, options, message):
    examples, _, table = noisy
    with pytest.raises(InputError, match=message):
        kp.suspects(table, examples, **options)


def test_suspects_refuse_other_examples(noisy):
    _, _, table = noisy
    with pytest.raises(InputError, match="score table"):
        kp.suspects(table, CLEAN)
    with pytest.raises(InputError, match="Expected a ScoreTable"):
        kp.suspects({"aum": Y}, CLEAN)


def test_a_score_may_have_the_name_of_another_column():
    examples = kp.Examples.from_arrays(X[:4], Y[:4])
    metadata = {"scores": {"predicted": {"higher_is_harder": True}}}
    scores = {"predicted": [0.1, 0.2, 0.3, 0.4]}
    table = kp.ScoreTable(examples.ids, examples.labels, scores, metadata=metadata)
    frame = kp.suspects(table, examples, predictions=1 - Y[:4].clip(0, 1)).to_pandas()
    assert frame["predicted"].dtype == "int64"
    assert frame["score predicted"].dtype.kind == "f"


def test_rows_are_no_picture(tmp_path):
    examples = kp.Examples.from_arrays(X.reshape(len(X), -1)[:9], Y[:9])
    table = kp.scores_from_probabilities(np.eye(10)[Y[:9]], examples.labels)
    with pytest.raises(InputError, match=r"Cannot draw the suspects.*shape \(64,\)"):
        kp.suspects(table, examples).save_picture(tmp_path / "s.png")


def test_the_doctor_of_a_new_model():
    diagnosis = kp.doctor(lambda noisy: trained(noisy, ["aum", "el2n"], 4)[1], CLEAN, seed=1)
    assert [finding.score for finding in diagnosis.findings] == ["aum", "el2n"]
    assert (diagnosis.planted, diagnosis.examples) == (180, 1797)
    assert diagnosis.best.auroc > 0.95
    assert any("To find wrong labels, use" in line for line in diagnosis.advice)
    assert "<Diagnosis of 180 wrong labels in 1,797: AUROC" in repr(diagnosis)
    # The AUROC by its definition: the share of pairs in which the wrong label is harder
    noisy = CLEAN.with_label_noise(0.1, seed=1)
    table, wrong = trained(noisy, ["aum", "el2n"], 4)[1], noisy.labels != Y
    hard = table.difficulty("aum")
    pairs = hard[wrong][:, None] > hard[~wrong]
    assert diagnosis.findings[0].auroc == pytest.approx(pairs.mean(), abs=1e-4)


def test_the_doctor_of_a_trained_model(noisy):
    model = trained(CLEAN, ["el2n"], 4)[0]
    diagnosis = kp.doctor(lambda plan: kp.score_checkpoints([model], plan, ["el2n"]), CLEAN)
    assert diagnosis.best.auroc > 0.98


def test_the_doctor_refuses():
    with pytest.raises(InputError, match="Invalid `score`. Expected a function"):
        kp.doctor("el2n", CLEAN)
    with pytest.raises(InputError, match="Expected a ScoreTable, as `callback.table"):
        kp.doctor(lambda noisy: None, CLEAN)
    with pytest.raises(InputError, match="Invalid `noise`"):
        kp.doctor(lambda noisy: None, CLEAN, noise=0.6)
    table = kp.scores_from_probabilities(np.eye(10)[Y], CLEAN.labels, CLEAN.ids)
    with pytest.raises(InputError, match="score table"):
        kp.doctor(lambda noisy: table, CLEAN)
