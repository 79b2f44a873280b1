"""Defuses text from data, such as names of classes, ids and files, for the terminal."""

import unicodedata

# Control, format, surrogate, private and unassigned characters, and separators of lines.
_OBEYED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
# Joiners of letters and of emoji: spelling needs them, and no terminal obeys them.
_JOINERS = "\u200c\u200d"


def defused(text):
    """Returns text in one line, with escapes in the place of characters that a terminal obeys.

    These are control characters, and those that change the direction of the text around them.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(character):
    if unicodedata.category(character) in _OBEYED and character not in _JOINERS:
        return character.encode("unicode_escape").decode("ascii")
    return character
