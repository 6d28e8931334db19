"""Rows that are put aside on disk come back as they went in, whichever are asked for."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from runtime.scratch import Scratch

COLUMNS = {
    "text": pa.array(["", "Ærø", None, "x" * 300, "y"] * 8),
    "bytes": pa.array([b"", b"\xff", b"two", None, b"y"] * 8),
    "flag": pa.array([True, False, None, True, True] * 8),
    "tiny": pa.array([0, 255, None, 7, 9] * 8, pa.uint8()),
    "price": pa.array(
        [Decimal("-1.25"), None, Decimal("99999999.99"), Decimal(0), Decimal(1)] * 8, pa.decimal128(10, 2)
    ),
    "day": pa.array([date(1, 1, 1), date(9999, 12, 31), None, date(2025, 3, 1), date(1970, 1, 1)] * 8),
    "time": pa.array([datetime(2025, 3, 1, tzinfo=UTC), None] * 20, pa.timestamp("us", "UTC")),
    "whole": pa.array(range(40)),
}


def test_any_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch")
    rows = pa.RecordBatch.from_pydict(COLUMNS)
    other = pa.RecordBatch.from_pydict({"other": ["before", "after"]})
    stored = [scratch.write(batch) for batch in (other, rows, other)]
    for start in range(rows.num_rows):
        for end in range(start, rows.num_rows + 1):
            read = stored[1].read(start, end)
            read.validate(full=True)
            assert read.equals(rows.slice(start, end - start)), (start, end)
    assert stored[2].read(1, 2).to_pydict() == {"other": ["after"]}


def test_nothing_is_left_of_it_once_removed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch")
    scratch.write(pa.RecordBatch.from_pydict(COLUMNS))
    scratch.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_slice_is_not_taken(tmp_path: Path) -> None:
    rows = pa.RecordBatch.from_pydict(COLUMNS).slice(3)
    with pytest.raises(ValueError, match="slice"):
        Scratch(tmp_path / "scratch").write(rows)
