"""What went wrong, in words a user can act on."""


class InputError(ValueError):
    """Something the caller passed cannot be used.

    The message says what is wrong, what was expected, what was received and, where the likely
    cause is known, how to mend it. The command line prints it alone and exits with code 2.
    """


def unknown(kind, name, known):
    """The `InputError` for a name that is not in a registry.

    Args:
        kind: what the name stands for, for example `"score"`.
        name: the name received.
        known: the names that exist.
    """
    return InputError(f"Unknown {kind}. Expected one of {sorted(known)}. Received: {name!r}")
