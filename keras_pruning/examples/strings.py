"""Converts many strings at a time, without a Python object for each of them."""

import numpy as np

# NumPy's strings of any length. It refuses entries of another type.
STRINGS = np.dtypes.StringDType(coerce=False)
# Strings that are converted at a time.
_BLOCK = 2**16
# Bytes of a block in which every string is padded to the longest one.
_PADDED = 2**25
# Bytes that a hash reads at a time.
_WORD = 8
# Most bytes of a character in UTF-8.
_MOST_BYTES = 4
_LAST_OF_ASCII = 127
# Odd numbers, the multiplication by which loses no bit: of each next word, and of murmur3.
_OF_WORDS, _OF_BITS = 0x9E3779B97F4A7C15, np.uint64(0xFF51AFD7ED558CCD)


def arrow_blocks(column):
    """Yields the strings of an Arrow column, block by block.

    Args:
        column: `pyarrow.ChunkedArray` of strings, none missing.

    Returns:
        Arrays of ASCII strings as `padded` yields them, or lists of strings for blocks with
        other characters, with NUL characters or with very long strings.
    """
    import pyarrow.compute as pc

    for chunk in column.chunks:
        for start in range(0, len(chunk), _BLOCK):
            block = chunk.slice(start, _BLOCK)
            lengths = pc.binary_length(block).to_numpy()
            width = _whole_words(int(lengths.max()))
            texts = None
            if width * len(block) <= _PADDED and pc.all(pc.string_is_ascii(block)).as_py():
                data = pc.ascii_rpad(block, width, padding="\0").buffers()[2]
                texts = np.frombuffer(data, f"S{width}", len(block))
            # A NUL of a string cannot be told from the padding
            is_whole = texts is not None and np.count_nonzero(texts.view("u1")) == lengths.sum()
            yield texts if is_whole else block.to_pylist()


def array_blocks(texts):
    """Yields the strings of an array, block by block, as `arrow_blocks` does.

    Args:
        texts: strings `(texts,)` of dtype `U` or `STRINGS`.
    """
    for start in range(0, len(texts), _BLOCK):
        block = texts[start : start + _BLOCK]
        lengths = np.strings.str_len(block)
        width = _whole_words(int(lengths.max()))
        rows = _ascii(block, width) if width * len(block) <= _PADDED else None
        # A NUL inside a string cannot be told from the padding
        is_whole = rows is not None and np.count_nonzero(rows.view("u1")) == lengths.sum()
        yield rows if is_whole else block.tolist()


def as_arrow(texts):
    """Returns strings as a `pyarrow.ChunkedArray`.

    Args:
        texts: strings `(texts,)` of dtype `U` or `StringDType`, as `checked_ids` returns them.
    """
    import pyarrow as pa

    chunks = []
    for lengths, data in encoded(texts):
        # The positions of a block fit into 32 bits, as Arrow's strings need them
        ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        chunks.append(
            pa.StringArray.from_buffers(len(lengths), pa.py_buffer(ends), pa.py_buffer(data))
        )
    return pa.chunked_array(chunks, pa.string())


def encoded(texts):
    """Yields the UTF-8 of strings, block by block.

    Args:
        texts: strings `(texts,)` of dtype `U` or `StringDType`, not ended by NUL characters.

    Returns:
        Tuples of the lengths in bytes, int64 `(block,)`, and the bytes of the block one after
        another, uint8.
    """
    for rows in padded(texts):
        lengths = np.strings.str_len(rows)
        data = rows.view(np.uint8)
        text = data[data != 0]
        if len(text) != lengths.sum():
            # Some strings have a NUL between other characters
            text = np.frombuffer(b"".join(rows.tolist()), np.uint8)
        yield lengths.astype(np.int64), text


def padded(texts):
    """Yields the UTF-8 of strings, padded with NUL to whole words, arrays of dtype `S`.

    Args:
        texts: strings `(texts,)` of dtype `U` or `StringDType`, or one of these arrays.
    """
    if texts.dtype.kind == "S":
        yield texts
        return
    for start in range(0, len(texts), _BLOCK):
        block = texts[start : start + _BLOCK]
        width = _whole_words(longest(block))
        # A very long string has few others beside it
        step = max(1, _PADDED // (width * _MOST_BYTES))
        for first in range(0, len(block), step):
            yield _encoded_block(block[first : first + step], width)


def longest(texts):
    """Returns the number of characters of the longest string, 0 if there is none."""
    return int(np.strings.str_len(texts).max(initial=0))


def hashes(texts):
    """Returns a hash of each string, uint64 `(texts,)`. Equal strings have equal hashes.

    Args:
        texts: as for `padded`.
    """
    result = np.zeros(len(texts), np.uint64)
    start = 0
    for rows in padded(texts):
        words = rows.view(np.uint64).reshape(len(rows), -1)
        total = result[start : start + len(rows)]
        # Padding adds nothing, so that the width of a block does not matter
        for number, word in enumerate(words.T, start=1):
            mixed = word * np.uint64(pow(_OF_WORDS, number, 2**64))
            mixed ^= mixed >> np.uint64(32)
            mixed *= _OF_BITS
            mixed ^= mixed >> np.uint64(29)
            total += mixed
        start += len(rows)
    return result


def _ascii(texts, width):
    """Returns strings as dtype `S`, `None` if another character than ASCII is among them."""
    if texts.dtype.kind != "U":
        try:
            return texts.astype(f"S{width}")
        except UnicodeEncodeError:
            return None
    # In a fifth of the time of `astype`. In another byte order no code is that small but 0
    codes = np.ascontiguousarray(texts).view(np.uint32).reshape(len(texts), -1)[:, :width]
    if codes.max(initial=0) > _LAST_OF_ASCII:
        return None
    rows = np.zeros((len(texts), width), np.uint8)
    rows[:, : codes.shape[1]] = codes
    return rows.view(f"S{width}").reshape(-1)


def _encoded_block(texts, width):
    rows = _ascii(texts, width)
    if rows is None:
        # NumPy encodes ASCII only
        names = [text.encode() for text in texts.tolist()]
        rows = np.array(names, f"S{_whole_words(max(map(len, names)))}")
    return rows


def _whole_words(length):
    return max(_WORD, -(-length // _WORD) * _WORD)
