"""Files and folders of results: written whole or not at all, and checked when they are read."""

from keras_pruning.storage.files import ANY, AlreadyExists, clear_leftovers, new_file, new_folder
from keras_pruning.storage.json_files import RECIPE, json_text, load_json, read_json, write_json
from keras_pruning.storage.names import require_name
from keras_pruning.storage.places import require_writable

__all__ = [
    "ANY",
    "RECIPE",
    "AlreadyExists",
    "clear_leftovers",
    "json_text",
    "load_json",
    "new_file",
    "new_folder",
    "read_json",
    "require_name",
    "require_writable",
    "write_json",
]
