"""Names of files and folders for ids and classes, which every file system takes."""

import hashlib
import re

# A file system takes 255 bytes. The rest is for an ending and the hash of a long id.
_LONGEST = 180
# Characters besides letters and digits that a name may have.
_PLAIN = " -_.,()+=@#&!~'[]"
# Names that Windows reserves for devices, also in front of a dot.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def file_names(ids):
    """Returns a name for each id: the id itself with unsafe characters as `%XX`.

    A hash ends the name of a long id, and of one that differs from another in upper and lower case
    only, because some file systems do not tell them apart.

    Args:
        ids: list of different strings.
    """
    names = [_safe(name) for name in ids]
    taken, unique = set(), []
    for name, identifier in zip(names, ids, strict=True):
        content = name.encode()
        if len(content) > _LONGEST or name.casefold() in taken:
            digest = hashlib.blake2b(identifier.encode(), digest_size=8).hexdigest()
            name = f"{content[:_LONGEST].decode(errors='ignore')}-{digest}"
        taken.add(name.casefold())
        unique.append(name)
    return unique


def class_folders(class_names):
    """Returns a folder name for each class, in an order that keeps the class numbers.

    They are the names of the classes, if those are safe and sorted. Otherwise the number of the
    class is in front of each, because the folders are read in alphabetical order.

    Args:
        class_names: list of different strings.
    """
    names = file_names(class_names)
    width = len(str(len(names) - 1))
    if names == class_names == sorted(class_names):
        return names
    if class_names == [str(number) for number in range(len(class_names))]:
        return [f"{number:0{width}d}" for number in range(len(class_names))]
    return [f"{number:0{width}d}-{name}" for number, name in enumerate(names)]


def _safe(text):
    """Returns a text with everything but letters, digits and `_PLAIN` as `%XX`."""
    name = "".join(map(_safe_character, text))
    # No hidden file, and no name that Windows changes or reserves
    if name.startswith((".", " ")) or _RESERVED.fullmatch(name):
        name = _escaped(name[0]) + name[1:]
    if name.endswith((".", " ")):
        name = name[:-1] + _escaped(name[-1])
    return name or "%"


def _safe_character(character):
    return character if character.isalnum() or character in _PLAIN else _escaped(character)


def _escaped(character):
    return "".join(f"%{byte:02X}" for byte in character.encode())
