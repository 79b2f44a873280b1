"""Text from data, made safe to show."""

import re

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
