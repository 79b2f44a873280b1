"""What commands say before they work."""

import pytest
from support.small import run


def test_without_a_config_the_defaults_are_named(caplog, tmp_path, capsys):
    arguments = ["--dataset.fraction", 0.0001, "--output", tmp_path / "out"]
    with caplog.at_level("INFO", "keras_pruning"):
        assert run("score", *arguments) == 2
    expected = f"with data set digits and model cnn, output {tmp_path / 'out'}."
    assert [record.getMessage() for record in caplog.records] == [
        f"No --config: the defaults are used, {expected}"
    ]


def test_with_a_config_nothing_is_said(caplog, tmp_path):
    (tmp_path / "c.yaml").write_text("dataset: {fraction: 0.0001}")
    with caplog.at_level("INFO", "keras_pruning"):
        assert run("score", "--config", tmp_path / "c.yaml", "--output", tmp_path / "out") == 2
    assert caplog.text == ""


def test_a_mistake_in_the_model_comes_before_any_announcement(caplog, tmp_path, capsys):
    (tmp_path / "c.yaml").write_text("model: {name: resnet}\ndataset: {fraction: 0.1}")
    with caplog.at_level("INFO", "keras_pruning"):
        assert run("score", "--config", tmp_path / "c.yaml", "--output", tmp_path / "out") == 2
    assert "Unknown model" in capsys.readouterr().err
    assert "Training" not in caplog.text


def test_the_help_of_train_says_that_output_is_one_run(capsys):
    with pytest.raises(SystemExit):
        run("train", "--help")
    words = " ".join(capsys.readouterr().out.split())
    assert "folder of this one run, no folder of several (default: runs/CONFIG NAME/train" in words
