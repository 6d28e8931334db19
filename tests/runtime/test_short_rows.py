"""A refused row takes much memory beside its bytes, so that of rows of few bytes only so many are held at a time."""

from pathlib import Path

import pytest

from formats import Format, MisjudgedCutError
from formats.csv import Csv
from formats.json import Json, NdJson
from formats.limits import BLOCK_ROWS
from formats.reading import blocks, rows_of
from runtime.quarantine import QuarantineWriter
from runtime.refused import RefusedRow
from tests.runtime.lakes import OpenLake, folder_lake
from tests.runtime.sales import Upload
from tests.runtime.whole_contracts import contract, refusals

MANY = 2 * BLOCK_ROWS + 1_000
MALFORMED: list[tuple[Format, bytes]] = [
    (Csv(), b"a,b\n" + b"x\n" * MANY),
    (Csv(), b"a,b\n" + b'"x\n' * MANY),
    (NdJson(), b'{"a":1}\n' + b"1\n" * (MANY - 1)),
    (Json(), b'[{"a":1}' + b",1" * (MANY - 1) + b"]"),
]
WELL: list[tuple[Format, bytes]] = [
    (Csv(), b"a,b\n" + b"1,\n" * MANY),
    (Csv(), b"a,b\n" + b'1,"\n"\n' * MANY),
    (NdJson(), b"{}\n" * MANY),
    (Json(), b"[{}" + b",{}" * (MANY - 1) + b"]"),
]


@pytest.mark.parametrize(("format_", "data"), MALFORMED + WELL)
def test_blocks_that_are_cut_exactly_have_few_rows_and_all_of_them(format_: Format, data: bytes) -> None:
    found = [rows_of([block]) for block in blocks(format_, data, exact=True)]
    assert sum(map(len, found)) == MANY
    assert max(map(len, found)) <= BLOCK_ROWS


@pytest.mark.parametrize(("format_", "data"), [MALFORMED[0], MALFORMED[2]])
def test_a_block_with_many_rows_that_cannot_be_read_is_to_be_cut_again(format_: Format, data: bytes) -> None:
    with pytest.raises(MisjudgedCutError):
        rows_of(blocks(format_, data))


@pytest.mark.parametrize(
    "rows", [b"x\n" * MANY, b"q,1\n" * MANY, b"1,2\n" * MANY], ids=["malformed", "of another type", "against a rule"]
)
def test_no_more_refused_rows_are_held_than_a_block_may_have_and_none_is_lost(
    rows: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    write = QuarantineWriter.write

    def watched(writer: QuarantineWriter, refused: list[RefusedRow], rows_before: int) -> None:
        written.append(len(refused))
        write(writer, refused, rows_before)

    monkeypatch.setattr(QuarantineWriter, "write", watched)
    fields = {"name": "a", "type": "integer"}, {"name": "b", "type": "integer"}
    made = contract(*fields, pipeline={"rules": [{"name": "ordered", "rule": "a >= b"}], "quarantineSample": 10})
    record = folder_lake(tmp_path).take(Upload(b"a,b\n2,1\n" + rows + b"3,1\n"), made)
    assert (record.rows_in, record.rows_out, record.rows_quarantined) == (MANY + 2, 2, MANY)
    assert max(written) <= BLOCK_ROWS


def test_repeated_keys_are_found_in_a_file_that_is_cut_again(tmp_path: Path) -> None:
    lake: OpenLake = folder_lake(tmp_path)
    made = contract({"name": "a", "type": "integer", "constraints": {"unique": True}}, pipeline={"quarantineSample": 1})
    record = lake.take(Upload(b"a\n7\n" + b"7\n8\n" + b"q\n" * MANY + b"8\n9\n"), made)
    assert (record.rows_in, record.rows_out, record.rows_quarantined) == (MANY + 5, 3, MANY + 2)
    assert refusals(lake) == [(2, "a", "unique", 'a: "7" stands in row 1 already')]
