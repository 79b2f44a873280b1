"""The pages that `score` and `doctor` write beside their results."""

import shutil

from support.scored import read
from support.small import run


def again(workplace, folder):
    """The exit code of `score` with the config and the scores of the workplace."""
    return run("score", "--config", workplace / "small.yaml", "--output", folder)


def copied_scores(workplace, tmp_path):
    """A folder of finished scores without a page, as earlier versions left it."""
    folder = tmp_path / "out"
    shutil.copytree(workplace / "out", folder)
    (folder / "report.html").unlink()
    return folder


def test_score_writes_a_page_and_prints_its_path(workplace, tmp_path, capsys):
    assert (workplace / "out" / "report.html").exists()
    folder = copied_scores(workplace, tmp_path)
    table = (folder / "scores.parquet").read_bytes()
    assert again(workplace, folder) == 0
    shown = capsys.readouterr().out
    assert f"{folder / 'report.html'} (to open in a browser)" in shown
    assert (folder / "scores.parquet").read_bytes() == table
    page = read((folder / "report.html").read_text())
    assert len(page.named("img")) > 100
    assert "keras-pruning score --config report.yaml --output NEW_FOLDER" in page.text
    assert "epochs: 4 seeds: 2" in page.text
    # Both are the same view of the same scores, from folders of one name.
    assert (folder / "report.html").read_text() == (workplace / "out" / "report.html").read_text()


def test_score_leaves_a_file_of_somebody_else(workplace, tmp_path, capsys):
    folder = copied_scores(workplace, tmp_path)
    (folder / "report.html").write_text("mine")
    assert again(workplace, folder) == 2
    assert "report.html exists already and is not overwritten. Expected" in capsys.readouterr().err
    assert (folder / "report.html").read_text() == "mine"
