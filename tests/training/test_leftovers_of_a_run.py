"""Files that killed tasks have left beside a run that is finished now."""

from types import SimpleNamespace

from support.claims import leave_claim

from keras_pruning.training.run import TrainingRun


def test_a_finished_run_clears_what_other_machines_have_left(tmp_path):
    run = SimpleNamespace(folder=tmp_path / "seed-0")
    run.checkpoint_path = tmp_path / "seed-0.unfinished.npz"
    run.folder.mkdir()
    run.checkpoint_path.touch()
    leave_claim(run.folder, "elsewhere-1", 7)
    (tmp_path / "seed-0.elsewhere-1-7-ab.partial").mkdir()
    for name in (".seed-0.claim", ".seed-0.unfinished.npz"):
        (tmp_path / f"{name}.elsewhere-1-7-ab.partial").touch()
    (tmp_path / "seed-1.elsewhere-1-7-ab.partial").mkdir()
    TrainingRun.clear(run)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"seed-0", "seed-1.elsewhere-1-7-ab.partial"}
