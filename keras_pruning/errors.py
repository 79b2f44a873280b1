"""The error for input that cannot be used."""


class InputError(ValueError):
    """An argument, file or data set that cannot be used.

    The message has three parts: the mistake, the expected value and the received value. If the
    likely cause is known, it also says how to mend it. The command line prints the message without
    a traceback and exits with code 2.
    """


def unknown(kind, name, known):
    """Returns the `InputError` for a name that is not in a registry.

    Args:
        kind: noun for the entries of the registry, for example `"score"`.
        name: the received name.
        known: the names in the registry.
    """
    return InputError(f"Unknown {kind}. Expected one of {sorted(known)}. Received: {name!r}")
