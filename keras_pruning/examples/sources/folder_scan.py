"""Lists the files of a folder with a folder for each class, and counts those left out."""

import collections
import hashlib
import os
import stat
import warnings

from keras_pruning.errors import InputError
from keras_pruning.examples.sources.folder_layout import IGNORED_FOLDERS, entries, visible_folders
from keras_pruning.examples.sources.listed_files import File, state_of

# Files that file managers add, which nobody misses.
_IGNORED_FILES = ("thumbs.db", "desktop.ini")


class FolderScan:
    """The files of a folder in order, a hash of their state, and counts of other files.

    Args:
        layout: `Layout` of the folder.
        endings: endings of the names of files that count, in lower case.

    Raises:
        InputError: if a folder cannot be read, or if the test part has a class that the training
            part lacks.
    """

    def __init__(self, layout, endings):
        from tqdm import tqdm

        self.layout, self.endings = layout, endings
        self.class_names = visible_folders(self._path("train"), "a folder for each class")
        self.left_out = {split: collections.Counter() for split in layout.parts}
        for name in layout.unused:
            self.left_out["train"][f"the folder {name} beside it"] += 1
        self._empty = {split: [] for split in layout.parts}
        self._digest = hashlib.sha256()
        with tqdm(desc="Listing", unit=" files", leave=False, disable=None) as self._progress:
            self.files = {split: self._files(split) for split in layout.parts}

    @property
    def digest(self):
        """Hash that changes with the name, the size, a time or the inode of any file."""
        return self._digest.hexdigest()

    def require_filled(self):
        """Raises an `InputError` if a class has no file."""
        for split, empty in self._empty.items():
            if empty:
                more = f" and {len(empty) - 10} more" if len(empty) > 10 else ""
                raise InputError(
                    f"Classes without files in {self._path(split)}. Expected files in each class "
                    f"that end in {', '.join(self.endings)}. Received: none in "
                    f"{', '.join(empty[:10])}{more}. Remove these folders, or fill them."
                )

    def warn_of_left_out(self, split):
        """Warns of the files of a split that are left out, with their number."""
        counts = [
            reason if reason.startswith("the ") else f"{count:,} {reason}"
            for reason, count in self.left_out[split].most_common()
        ]
        if counts:
            more = f" and {len(counts) - 8} more kinds" if len(counts) > 8 else ""
            warnings.warn(
                f"Left out of {self._path(split)}: {', '.join(counts[:8])}{more}. Expected files "
                f"that end in {', '.join(self.endings)}.",
                UserWarning,
                stacklevel=4,
            )

    def _path(self, split):
        return self.layout.folder / self.layout.parts[split]

    def _files(self, split):
        """Returns the `File` of each example of a split, ordered by class and path."""
        part = self._path(split)
        names = visible_folders(part, "a folder for each class")
        self._require_known(part, names)
        for entry in entries(part, "a folder for each class"):
            if entry.name in IGNORED_FOLDERS:
                self.left_out[split][f"the folder {entry.name}"] += 1
            elif not entry.is_dir() and self._reason_to_leave_out(entry) is None:
                self.left_out[split]["files outside of the classes"] += 1
        files = []
        for name in names:
            label = self.class_names.index(name)
            below = list(self._files_below(part / name, split, label, (os.path.realpath(part),)))
            if not below:
                self._empty[split].append(name)
            files += below
        return files

    def _require_known(self, part, names):
        unknown = sorted(set(names) - set(self.class_names))
        if unknown:
            raise InputError(
                f"Unknown class in {part}. Expected the classes of {self._path('train')}: "
                f"{', '.join(self.class_names)}. Received: {', '.join(unknown)}"
            )

    def _files_below(self, folder, split, label, outer):
        """Yields the `File` of each example in a folder and in the folders below.

        Args:
            folder: `Path` of the folder.
            split: name of the split.
            label: number of the class.
            outer: real paths of the folders above, to notice a link to one of them.
        """
        outer = (*outer, os.path.realpath(folder))
        name = os.path.relpath(folder, self.layout.folder).replace(os.sep, "/")
        # Taken from the end, because an entry keeps all that was read about its file
        left = entries(folder, "files")[::-1]
        while left:
            entry = left.pop()
            if not entry.is_dir():
                reason = self._reason_to_leave_out(entry)
                if reason is None:
                    yield self._file(f"{name}/{entry.name}", entry, label)
                elif reason:
                    self.left_out[split][reason] += 1
            elif entry.name.startswith(".") or entry.name in IGNORED_FOLDERS:
                self.left_out[split]["hidden folders"] += 1
            elif os.path.realpath(entry.path) in outer:
                self.left_out[split]["links to a folder above"] += 1
            else:
                yield from self._files_below(folder / entry.name, split, label, outer)

    def _reason_to_leave_out(self, entry):
        """Returns why an entry is no example, `""` if nobody misses it, `None` if it is one."""
        ending = os.path.splitext(entry.name.lower())[1]
        if entry.name.startswith("."):
            return "hidden files" if ending in self.endings else ""
        if ending not in self.endings:
            ignored = entry.name.lower() in _IGNORED_FILES
            return "" if ignored else f"{ending or 'without an ending'} files"
        return "pipes or devices" if _is_special(entry) else None

    def _file(self, name, entry, label):
        self._digest.update(f"{name!a}\0{state_of(entry)}\n".encode())
        self._progress.update()
        return File(name, label, entry.path)


def _is_special(entry):
    """Returns whether an entry is neither a file nor a broken link. Reading it might not end."""
    try:
        return not stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False
