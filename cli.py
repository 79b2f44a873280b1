"""`python cli.py`: the command line from a checkout, the same as `keras-pruning`."""

import sys

from keras_pruning.cli import main

if __name__ == "__main__":
    sys.exit(main())
