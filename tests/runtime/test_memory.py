"""What is held of a file is bounded by bytes, however the file is made."""

import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runtime import external_sort, parquet, quarantine
from runtime.external_sort import ExternalSort
from runtime.parquet import PartitionedWriter
from runtime.partitions import Parts, split
from runtime.quarantine import QuarantineWriter
from runtime.refused import RefusedRow
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


def test_rows_sorted_on_disk_come_in_order_and_in_groups_of_bounded_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external_sort, "HELD", 20_000)
    monkeypatch.setattr(external_sort, "GROUP", 10_000)
    random = Random(7)  # noqa: S311 - not to be kept secret
    numbers = [random.choice([0, 0, 0, 0, random.randrange(20)]) for _ in range(20_000)]
    found = []
    with ThreadPoolExecutor(1) as threads:
        sort = ExternalSort(tmp_path / "sort", threads)
        for start in range(0, len(numbers), 500):
            rows = pa.RecordBatch.from_pydict({"row": pa.array(range(start, start + 500), pa.int64())})
            sort.add(rows, pa.array(numbers[start : start + 500], pa.int32()))
        for share in sort.shares():
            for number, groups in sort.read(share):
                for batches in groups:
                    assert sum(batch.nbytes for batch in batches) <= external_sort.GROUP
                    found += [(number, row) for batch in batches for row in batch.column("row").to_pylist()]
    assert found == sorted((number, row) for row, number in enumerate(numbers))


def test_numbers_are_read_together_only_as_far_as_their_rows_are_a_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external_sort, "GROUP", 10_000)
    texts = {0: "a" * 3_000, 1: "b" * 3_000, 2: "c" * 9_000, 3: "d" * 20_000, 4: "e", 5: "f"}
    with ThreadPoolExecutor(1) as threads:
        sort = ExternalSort(tmp_path / "sort", threads)
        sort.add(pa.RecordBatch.from_pydict({"text": list(texts.values())}), pa.array(texts, pa.int32()))
        shares = sort.shares()
    assert shares == [range(2), range(2, 3), range(3, 4), range(4, 6)]


def _parts(days: Sequence[str], kept: Sequence[int] | None = None) -> Parts:
    batch = pa.RecordBatch.from_pydict({"day": list(days), "row": pa.array(range(len(days)), pa.int64())})
    return split(batch, ["day"], None if kept is None else pa.array(kept, pa.int64()))


def _as_it_is(table: pa.Table) -> pa.Table:
    return table


def test_a_block_without_a_row_to_take_changes_nothing_however_rows_are_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external_sort, "HELD", 1)
    with ThreadPoolExecutor(2) as threads:
        writer = PartitionedWriter(tmp_path, threads, _as_it_is)
        for parts in (_parts("abab"), _parts("abcd"), _parts("ab", []), _parts("", [])):
            writer.write(parts)
        files = writer.close()
    assert {values: pq.read_metadata(path).num_rows for values, path in files.items()} == {
        ("a",): 3, ("b",): 3, ("c",): 1, ("d",): 1,
    }  # fmt: skip


def test_rows_of_the_first_partition_keep_their_order_when_others_come_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "GROUP", 200)
    monkeypatch.setattr(external_sort, "HELD", 200)
    days = ["a" * 40, "a" * 40, "a" * 10, "ab" * 20, "ba" * 20]
    with ThreadPoolExecutor(2) as threads:
        writer = PartitionedWriter(tmp_path, threads, _as_it_is)
        for number, block in enumerate(days):
            rows = pa.RecordBatch.from_pydict(
                {"day": list(block), "row": [1_000 * number + row for row in range(len(block))]}
            )
            writer.write(split(rows, ["day"]))
        files = writer.close()
    expected = [(day, 1_000 * number + row) for number, block in enumerate(days) for row, day in enumerate(block)]
    for day in "ab":
        found = pq.ParquetFile(files[day,]).read()["row"].to_pylist()
        assert found == [row for of, row in expected if of == day]


def test_the_texts_of_dictionaries_count_as_what_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP", 100_000)
    with ThreadPoolExecutor(1) as threads:
        writer = PartitionedWriter(tmp_path, threads, _as_it_is)
        for block in range(4):
            column = pa.array([f"{block}" * 60_000]).dictionary_encode()
            writer.write(split(pa.RecordBatch.from_arrays([column], ["text"]), []))
        [path] = writer.close().values()
    assert pq.read_metadata(path).num_row_groups == 2


def test_a_group_has_columns_of_numbers_for_texts_or_of_texts_not_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external_sort, "HELD", 100)
    with ThreadPoolExecutor(1) as threads:
        sort = ExternalSort(tmp_path / "sort", threads)
        for codes in ([0, 1], [1, 1]):
            sort.add(pa.RecordBatch.from_pydict({"text": pa.array(codes, pa.uint8())}), pa.array([0, 1], pa.int32()))
        sort.put_aside()
        sort.add(pa.RecordBatch.from_pydict({"text": ["a", "b"]}), pa.array([0, 1], pa.int32()))
        found = {number: list(groups) for share in sort.shares() for number, groups in sort.read(share)}
    values = {
        number: [[batch["text"].to_pylist() for batch in group] for group in groups] for number, groups in found.items()
    }
    assert values == {0: [[[0, 1]], [["a"]]], 1: [[[1, 1]], [["b"]]]}


def test_a_later_row_group_may_have_more_texts_than_a_byte_can_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "GROUP", 100)
    texts = [[f"{number}" for number in range(count)] * 3 for count in (3, 500, 70_000)]
    with ThreadPoolExecutor(1) as threads:
        writer = PartitionedWriter(tmp_path, threads, _as_it_is)
        for block in texts:
            writer.write(split(pa.RecordBatch.from_arrays([pa.array(block).dictionary_encode()], ["text"]), []))
        [path] = writer.close().values()
    assert pq.read_metadata(path).num_row_groups == 3
    assert pq.ParquetFile(path).read()["text"].to_pylist() == [text for block in texts for text in block]


@pytest.mark.skipif(sys.platform != "linux", reason="open files are seen by Linux's means")
def test_a_file_is_closed_before_the_next_of_its_share_is_opened(tmp_path: Path) -> None:
    most = 0

    def finish(table: pa.Table) -> pa.Table:
        nonlocal most
        open_files = [file.resolve() for file in Path("/proc/self/fd").iterdir()]
        most = max(most, sum(file.suffix == ".parquet" for file in open_files))
        return table

    with ThreadPoolExecutor(1) as threads:
        writer = PartitionedWriter(tmp_path, threads, finish)
        writer.write(_parts([f"{day:02}" for day in range(40)]))
        assert len(writer.close()) == 40
    assert most == 0


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is measured by Linux's means")
@pytest.mark.parametrize("case", ["csv-900kB-bad-rows", "300-and-one-big"])
def test_the_peak_of_a_run_does_not_grow_with_the_file(case: str, tmp_path: Path) -> None:
    sizes = ("64MB", "128MB")
    command = [sys.executable, "-m", "bench.memory", case, "--folder", str(tmp_path / "data"), "--sizes", *sizes]
    # A process of its own, since a child's peak is at least its parent's size.
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    smaller, larger = map(int, re.findall(r"(\d+) MB \|", printed.splitlines()[-1]))
    assert larger <= 1.25 * smaller, printed
