"""How text is cut into blocks: no place for all of a small file, and no more of a large one than memory should hold."""

import io

import pytest

from formats import Format
from formats.csv import Csv
from formats.json import NdJson
from formats.reading import head_of, text

MEBIBYTE = 1024 * 1024
CSV = b"sku,title\n" + b"0000001,Salt\n" * (40 * MEBIBYTE // 13)
LINES = b'{"sku": "0000001"}\n' * (40 * MEBIBYTE // 19)


def rows(format_: Format, data: bytes) -> list[int]:
    """How many rows each block has."""
    return [block.parse().count for block in format_.read(io.BytesIO(data), format_.inspect(head_of(data)), text)]


@pytest.mark.parametrize(("format_", "data", "row"), [(Csv(), CSV, 13), (NdJson(), LINES, 19)], ids=["csv", "ndjson"])
def test_the_first_block_is_small_and_each_is_twice_as_large_up_to_a_limit(
    format_: Format, data: bytes, row: int
) -> None:
    sizes = [round(count * row / MEBIBYTE, 2) for count in rows(format_, data)]
    assert sizes[:7] == [0.25, 0.5, 1, 2, 4, 4, 4]
    assert max(sizes) == 4


@pytest.mark.parametrize(("format_", "data"), [(Csv(), CSV), (NdJson(), LINES)], ids=["csv", "ndjson"])
def test_no_block_of_a_day_s_file_is_half_of_it(format_: Format, data: bytes) -> None:
    counts = rows(format_, data[: 5 * MEBIBYTE])
    assert max(counts) < sum(counts) / 2
