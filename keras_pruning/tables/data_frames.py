"""Makes pandas data frames."""

from keras_pruning.errors import InputError


def data_frame(columns):
    """Returns columns as a pandas data frame, with the ids as its index.

    Ids that are all whole numbers, such as positions, become integers.

    Args:
        columns: dictionary of arrays of equal length, with the strings `id` among them.

    Raises:
        InputError: if pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise InputError(
            "Cannot make a data frame. Expected an installed pandas. Received: none. Run "
            "`pip install pandas`."
        ) from error
    columns = dict(columns)
    ids = columns.pop("id")
    # Longer numbers do not fit into an int64.
    are_numbers = all(
        name.isdecimal() and len(name) < 19 and str(int(name)) == name for name in ids
    )
    index = pd.Index(ids.astype(int) if are_numbers else ids.tolist(), name="id")
    return pd.DataFrame(columns, index=index)
