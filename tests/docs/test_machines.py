"""The recipes for several machines name options that exist."""

import re
import shlex

import pytest
import yaml
from support.pages import ROOT, Page

from keras_pruning.cli import make_parser
from keras_pruning.commands.task_options import tasks_of

PAGE = Page("docs/machines.md")
BLOCKS = {block.file_name or block.text.split()[0]: block for block in PAGE.blocks}
VARIABLES = {"$SKYPILOT_NODE_RANK": "3", "$SKYPILOT_NUM_NODES": "4"}


def parsed(words):
    """Returns the values of a command that begins with `keras-pruning`."""
    assert words[0] == "keras-pruning"
    # The config of the recipe lies on other machines
    words = [
        word.replace("/shared/study.yaml", str(ROOT / "configs/digits.yaml")) for word in words
    ]
    words = [VARIABLES.get(word, word) for word in words[1:]]
    parser = make_parser()
    namespace = parser.parse_args(words)
    return parser.instantiate(namespace)[namespace.subcommand]


def commands(text):
    """Returns the words of the commands in a shell script."""
    lines = text.replace("\\\n", " ").splitlines()
    found = [
        line.partition("keras-pruning sweep")[2] for line in lines if "keras-pruning sw" in line
    ]
    return [["keras-pruning", "sweep", *shlex.split(words)] for words in found]


def test_the_array_of_slurm_has_as_many_tasks():
    text = BLOCKS["#!/bin/bash"].text
    first, last = re.search(r"--array=(\d+)-(\d+)", text).groups()
    (words,) = commands(text)
    values = parsed(words)
    variables = {"SLURM_ARRAY_TASK_ID": last, "SLURM_ARRAY_TASK_MIN": first}
    tasks = tasks_of(values, variables)
    assert tasks.index == tasks.number - 1
    cores = int(re.search(r"--cpus-per-task=(\d+)", text)[1])
    assert (values.sweep.threads, values.probe.threads) == (cores, cores)


def test_the_job_set_has_as_many_tasks():
    job_set = yaml.safe_load(BLOCKS["jobset.yaml"].text)
    assert (job_set["apiVersion"], job_set["kind"]) == ("jobset.x-k8s.io/v1alpha2", "JobSet")
    (replicated,) = job_set["spec"]["replicatedJobs"]
    job = replicated["template"]["spec"]
    assert (replicated["replicas"], job["completionMode"]) == (1, "Indexed")
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    values = parsed(container["command"])
    tasks = tasks_of(values, {"JOB_COMPLETION_INDEX": str(job["completions"] - 1)})
    assert tasks.index == tasks.number - 1
    cores = int(container["resources"]["limits"]["cpu"])
    assert (values.sweep.threads, values.probe.threads) == (cores, cores)
    (mount,), (volume,) = container["volumeMounts"], pod["volumes"]
    assert mount["name"] == volume["name"]
    assert values.output.startswith(mount["mountPath"])


def test_the_nodes_of_skypilot_are_the_tasks():
    task = yaml.safe_load(BLOCKS["sky.yaml"].text)
    (words,) = commands(task["run"])
    values = parsed(words)
    assert tasks_of(values).number == task["num_nodes"] == int(VARIABLES["$SKYPILOT_NUM_NODES"])
    (mount,) = task["volumes"]
    assert values.output.startswith(mount)
    assert values.sweep.threads == task["resources"]["cpus"]


def test_the_command_for_ray_names_its_backend():
    (values,) = [
        parsed(words)
        for block in PAGE.blocks
        if "RAY_ADDRESS" in block.text
        for words in commands(block.text)
    ]
    assert values.sweep.backend == "ray"
    assert values.num_tasks is None


@pytest.mark.parametrize("name", ["#!/bin/bash", "jobset.yaml", "sky.yaml"])
def test_the_folders_are_shared(name):
    assert "/shared/runs/study" in BLOCKS[name].text
    assert "/shared/cache" in BLOCKS[name].text


def test_the_version_is_that_of_the_package():
    from keras_pruning import __version__

    found = re.findall(r"(?:keras-pruning:|keras_pruning-)(\d[\d.]*\d)", PAGE.text)
    assert len(found) >= 4
    assert set(found) == {__version__}


def test_a_mistake_is_not_repeated_by_the_job_set():
    job_set = yaml.safe_load(BLOCKS["jobset.yaml"].text)
    job = job_set["spec"]["replicatedJobs"][0]["template"]["spec"]
    rules = {rule["action"]: rule for rule in job["podFailurePolicy"]["rules"]}
    assert rules["FailIndex"]["onExitCodes"] == {"operator": "In", "values": [2]}
    # Kubernetes allows the policy and the limit of each index with these only
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert job["completionMode"] == "Indexed"
