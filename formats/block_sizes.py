"""How much of a text makes a block."""

from __future__ import annotations

from collections.abc import Iterator

from formats.limits import MEBIBYTE

_FIRST, _MOST = MEBIBYTE // 4, 4 * MEBIBYTE


def block_sizes() -> Iterator[int]:
    """How many bytes to read for each block of a text, without end.

    The first is small, so that what its rows show is known before the others are parsed. Each after it is twice as
    large as the one before, so that a small file too has blocks for all threads, up to a size beyond which larger ones
    would only take more memory.
    """
    size = _FIRST
    while True:
        yield size
        size = min(2 * size, _MOST)
