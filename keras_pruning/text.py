"""Text from data, made safe to show."""

import re
import sys
import warnings

# Control characters (among them those that begin an ANSI sequence), line and paragraph separators,
# marks and overrides of the direction of text, invisible tags, and lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def visible(text):
    """Returns text with control characters as escapes, so that it cannot act on a terminal.

    The text stays in one line, in the order of its characters.

    Args:
        text: string, for example the name of a class, a file or a score.
    """
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), str(text))


def visible_lines(text):
    """Returns text as `visible` does, and keeps its lines apart."""
    return "\n".join(map(visible, str(text).split("\n")))


def show_warning(message, category, filename, lineno, file=None, line=None):
    """Prints a warning on the command line, in the place of `warnings.showwarning`.

    A user of the command line needs no file and line of the package.

    Args:
        message: the warning.
        category: its class.
        filename: path of the file that warns.
        lineno: number of the line that warns.
        file: stream to print to. Defaults to the standard error.
        line: source of the line that warns.
    """
    text = f"warning: {message}"
    if not issubclass(category, UserWarning):
        text = warnings.formatwarning(message, category, filename, lineno, line).rstrip()
    print(visible_lines(text), file=file or sys.stderr)
