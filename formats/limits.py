"""How much of anything a file may have, so that a hostile one costs bounded time and memory.

A contract may set others (``pipeline.limits``), which then hold on a laptop, in the validator and in the job alike.
"""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE


@dataclass(frozen=True)
class Limits:
    """Each is a whole number of at least 1."""

    columns: int = 10_000
    """Of a file. Sales have dozens; each column costs memory in every block."""
    members: int = 1_000
    """Files in an archive. The head of each is looked at before any is read: a year of days is 366."""
    unpacked_bytes: int = 64 * GIBIBYTE
    """What all that is packed in an upload may come to: more than a job's disk could hold in Parquet."""
    unpacked_ratio: int = 1_000
    """Unpacked bytes for each packed one. Sales come to 20 or so; gzip can't reach more than 1,032, others can."""
    spooled_bytes: int = GIBIBYTE
    """What is unpacked to disk, for a format that goes back and forth. Workbooks hold a million rows at most."""


LIMITS = Limits()
"""Where a contract says nothing."""

RATIO_COUNTS_FROM = 16 * MEBIBYTE
"""Unpacked bytes that are no harm, however little they were packed."""

DECODER_MEMORY = 128 * MEBIBYTE
"""What unpacking may hold. The strongest usual settings of xz (-9) need 65 MB, those of zstd (-19) 8 MB."""

DIRECTORY_BYTES = 16 * MEBIBYTE
"""The longest list of members that an archive may have: it is held in memory whole."""
