"""The memory that control groups leave, from files as Linux writes them."""

import sys
from types import SimpleNamespace

import pytest

from keras_pruning.preflight.work import Process
from keras_pruning.storage.control_groups import in_groups

GIB = 2**30


@pytest.fixture
def root(tmp_path):
    return tmp_path / "cgroup"


def member(tmp_path, *lines):
    path = tmp_path / "membership"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"memory.{name}").write_text(f"{content}\n")


def test_without_limits_there_is_no_group(tmp_path, root):
    assert in_groups(root, tmp_path / "none") == []
    write(root, max="max", current=GIB)
    assert in_groups(root, member(tmp_path, "0::/")) == []


def test_a_container_is_the_root_of_its_groups(tmp_path, root):
    write(root, max=4 * GIB, current=3 * GIB)
    assert set(in_groups(root, member(tmp_path, "0::/"))) == {GIB}
    # Files that the system can take back are no obstacle
    write(root, stat=f"anon {GIB}\ninactive_file {2 * GIB}\nactive_file 7")
    for lines in ([], ["0::/"], ["0::/../.."]):
        assert set(in_groups(root, member(tmp_path, *lines))) == {3 * GIB}


def test_a_job_has_a_nested_group(tmp_path, root):
    """Slurm limits the job, and a step and its task lie below it."""
    job = root / "system.slice" / "slurmstepd.scope" / "job_7"
    write(job, max=6 * GIB, current=GIB)
    write(job / "step_0", max=9 * GIB, current=GIB)
    write(job / "step_0" / "task_0", max="max", current=GIB)
    path = "/system.slice/slurmstepd.scope/job_7/step_0/task_0"
    assert in_groups(root, member(tmp_path, f"0::{path}")) == [8 * GIB, 5 * GIB]


def test_the_first_version_has_a_folder_of_memory(tmp_path, root):
    job = root / "memory" / "slurm" / "job_7"
    write(job / "step_0", limit_in_bytes=2**63 - 4096, usage_in_bytes=GIB)
    stat = f"inactive_file 7\ntotal_inactive_file {GIB}"
    write(job, limit_in_bytes=6 * GIB, usage_in_bytes=2 * GIB, stat=stat)
    lines = ["3:cpu,cpuacct:/other", "2:name=systemd:/", "4:hugetlb,memory:/slurm/job_7/step_0"]
    assert min(in_groups(root, member(tmp_path, *lines, "0::/"))) == 5 * GIB


def test_a_group_above_its_limit_leaves_nothing(tmp_path, root):
    write(root / "job", max=GIB, current=2 * GIB)
    assert in_groups(root, member(tmp_path, "0::/job")) == [0]


def test_the_unit_of_the_peak_is_that_of_the_system(monkeypatch):
    import resource

    process = Process()
    usage = SimpleNamespace(ru_maxrss=2**40)
    monkeypatch.setattr(resource, "getrusage", lambda who: usage)
    monkeypatch.setattr(sys, "platform", "linux")
    assert process.memory()["peak"] == 2**50
    monkeypatch.setattr(sys, "platform", "darwin")
    assert process.memory()["peak"] == 2**40
