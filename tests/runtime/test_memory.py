"""What is held of a file is bounded by bytes, however the file is made."""

import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runtime import external_sort, quarantine
from runtime.checks import RefusedRow
from runtime.external_sort import ExternalSort
from runtime.quarantine import QuarantineWriter
from tests.runtime.sales import Upload, contract


def test_refused_rows_are_written_before_they_are_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "MOST_HELD", 250_000)
    path = tmp_path / "quarantine.parquet"
    writer = QuarantineWriter(path, contract(), Upload(b"").version)
    raw = [f"{number}" * 100_000 for number in range(10)]
    writer.write([RefusedRow(number, None, "type", "bad", text) for number, text in enumerate(raw)], 0)
    assert writer.close() == path
    with pq.ParquetFile(path) as file:
        assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [3, 3, 3, 1]
        assert file.read(["raw_text"]).column(0).to_pylist() == raw


@pytest.mark.parametrize("most_runs", [2, 64])
def test_rows_sorted_on_disk_come_in_order_and_in_groups_of_bounded_size(
    most_runs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external_sort, "HELD", 20_000)
    monkeypatch.setattr(external_sort, "GROUP", 10_000)
    monkeypatch.setattr(external_sort, "_BATCH", 1_000)
    monkeypatch.setattr(external_sort, "MOST_RUNS", most_runs)
    random = Random(7)  # noqa: S311 - not to be kept secret
    numbers = [random.choice([0, 0, 0, 0, random.randrange(20)]) for _ in range(20_000)]
    sort = ExternalSort(tmp_path / "sort")
    for start in range(0, len(numbers), 500):
        rows = pa.RecordBatch.from_pydict({"row": pa.array(range(start, start + 500), pa.int64())})
        sort.add(rows, pa.array(numbers[start : start + 500], pa.int32()))
    found = []
    for number, batches in sort.sorted():
        assert sum(batch.nbytes for batch in batches) <= external_sort.GROUP
        found += [(number, row) for batch in batches for row in batch.column("row").to_pylist()]
    assert found == sorted((number, row) for row, number in enumerate(numbers))
    assert list(tmp_path.joinpath("sort").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is measured by Linux's means")
@pytest.mark.parametrize("case", ["csv-900kB-bad-rows", "300-and-one-big"])
def test_the_peak_of_a_run_does_not_grow_with_the_file(case: str, tmp_path: Path) -> None:
    sizes = ("64MB", "128MB")
    command = [sys.executable, "-m", "bench.memory", case, "--folder", str(tmp_path / "data"), "--sizes", *sizes]
    # A process of its own, since a child's peak is at least its parent's size.
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    smaller, larger = map(int, re.findall(r"(\d+) MB \|", printed.splitlines()[-1]))
    assert larger <= 1.25 * smaller, printed
