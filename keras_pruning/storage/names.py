"""Names that come from files, which must not lead out of a folder."""

import re

from keras_pruning.errors import InputError

LONGEST = 100
_NAME = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{LONGEST - 1}}}")


def require_name(kind, name):
    """Raises an `InputError` unless `name` can be part of a path and of a column.

    Names of scores, policies and quotas become folders and charts. A name that is read from a file
    could otherwise lead out of the folder.

    Args:
        kind: noun for the message, for example `"score"`.
        name: any value.
    """
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise InputError(
            f"Invalid name of a {kind}. Expected at most {LONGEST} letters (a-z, A-Z), digits, "
            f"'_', '-' and '.', without '-' or '.' at the beginning. Received: {repr(name)[:80]}"
        )
