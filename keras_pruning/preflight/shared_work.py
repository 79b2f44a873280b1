"""Plans of work that other machines share, which a measurement on this machine cannot see."""

from keras_pruning.probing.part_files import PartFiles
from keras_pruning.probing.probe_files import FOLDER


def jobs_here(backend, jobs):
    """Returns how many of the processes at the same time work on this machine, to be measured.

    Args:
        backend: `"local"` or `"ray"`.
        jobs: number of processes at the same time.
    """
    # The machines of a cluster have room for the others.
    return 1 if backend == "ray" else jobs


def notes(backend, tasks):
    """Returns sentences on what the plan does not know, a list.

    Args:
        backend: `"local"` or `"ray"`.
        tasks: `Tasks`.
    """
    sentences = []
    if backend == "ray":
        sentences.append(
            "Ray: the time and the memory of a process are those on this machine's processors, and "
            "the room in the cluster is not checked."
        )
    if tasks.are_shared:
        sentences.append(
            f"Tasks: the plan is that of the work of all {tasks.number} tasks, as if one task did "
            "everything on this machine. Each task has the processes of this plan."
        )
    return sentences


def notes_on_parts(plan, output):
    """Returns a sentence on the finished parts of a scoring by several tasks, in a list.

    Args:
        plan: `ScoringPlan`.
        output: folder of the scores.
    """
    if not (plan.checkpoints and plan.tasks.are_shared):
        return []
    number = len(PartFiles(output / FOLDER, plan.recipe).names())
    if not number:
        return []
    return [f"Finished parts of the scoring: {number}. The plan does not take off their work."]
