"""How much of anything a file may have, so that a hostile one costs bounded time and memory.

A contract may set others (``pipeline.limits``), which then hold on a laptop, in the validator and in the job alike.
The constants below are bounds that nobody's files come near to, and that no contract changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE

MOST = "most"
"""In the metadata of a limit: the largest number that it may be set to."""


@dataclass(frozen=True)
class Limits:
    """Each is a whole number of at least 1."""

    columns: int = 10_000
    """Of a file. Sales have dozens; each column costs memory in every block. CSV's header ends within the head, 65,536
    bytes, whatever is set here."""
    row_bytes: int = MEBIBYTE
    """Of a row of text, JSON or XML, which is held in memory whole. A row that lies within a block of some megabytes,
    which is held anyway, may be longer."""
    depth: int = field(default=100, metadata={MOST: 250})
    """Levels of JSON values and XML elements within one another. Code that goes through them recurses."""
    cells: int = 32 * MEBIBYTE
    """Places for values, empty ones included, that are held at a time: a block's rows times its columns. They make rows
    of few bytes large."""
    members: int = 1_000
    """Files in an archive. The head of each is looked at before any is read: a year of days is 366."""
    unpacked_bytes: int = 64 * GIBIBYTE
    """What all that is packed in an upload may come to: more than a job's disk could hold in Parquet."""
    unpacked_ratio: int = 1_000
    """Unpacked bytes for each packed one. Sales come to 20 or so; gzip can't reach more than 1,032, others can."""
    spooled_bytes: int = GIBIBYTE
    """What is unpacked to disk, for a format that goes back and forth. Workbooks hold a million rows at most."""
    workbook_bytes: int = 256 * MEBIBYTE
    """What a workbook may unpack to: of an ``.xlsx`` without its sheets, which stream by; of others all, which their
    reader holds in memory, about twice as large."""
    row_group_bytes: int = GIBIBYTE
    """What a row group of Parquet may state for its unpacked columns."""
    repeated_rows: int = 1_000_000
    """Rows with a key that another row has: they are held in memory. More of them are the same export twice."""


LIMITS = Limits()
"""Where a contract says nothing."""

RATIO_COUNTS_FROM = 16 * MEBIBYTE
"""Unpacked bytes that are no harm, however little they were packed."""

DECODER_MEMORY = 128 * MEBIBYTE
"""What unpacking may hold. The strongest usual settings of xz (-9) need 65 MB, those of zstd (-19) 8 MB."""

DIRECTORY_BYTES = 16 * MEBIBYTE
"""The longest list of members that an archive may have: it is held in memory whole."""

READER_MEMORY = 4 * GIBIBYTE
"""The address space in which a workbook that isn't ``.xlsx``, whose size doesn't show, has to be readable."""

READER_SECONDS = 20
"""The processor time in which it has to be: several times what cells that fill READER_MEMORY take."""

MOST_DIGITS = 38
"""Of a decimal of 128 bits. To a number of more digits Arrow gives another value, without a word."""

BLOCK_ROWS = 65_536
"""Rows that a block may have refused, and rows that a block cut exactly may have: however short a row is, its refusal
takes about a kilobyte."""

SHEET_BYTES = 4 * GIBIBYTE
"""What the sheets of an ``.xlsx`` may unpack to. They stream by: this bounds the time."""

SHEET_CELLS = 256 * MEBIBYTE
"""Places for cells that a sheet's rows may have under its header: this bounds the time, too."""
