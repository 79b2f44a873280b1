"""The memory that is available."""

import psutil

from keras_pruning.storage.control_groups import in_groups


def available_memory():
    """Returns the bytes of memory that are available, at most those of a container or a job."""
    return min([psutil.virtual_memory().available, *in_groups()])
