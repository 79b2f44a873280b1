"""Runs a command on a Ray cluster of two CPUs, which ends with it.

python tests/support/on_ray.py COMMAND ...
"""

import sys

from keras_pruning import cli

if __name__ == "__main__":
    import ray

    ray.init("local", num_cpus=2, include_dashboard=False, logging_level="error")
    sys.exit(cli.main(sys.argv[1:]))
