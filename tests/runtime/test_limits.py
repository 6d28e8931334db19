"""What ``pipeline.limits`` says holds for every format, in the job, in the validator and on the command line alike."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import yaml

from formats import Registry
from formats.limits import MEBIBYTE
from runtime.admission import RefusedFile, admit
from runtime.cli import main
from runtime.contract import Contract, parse_contract
from tests.runtime.lakes import OpenLake, folder_lake
from tests.runtime.sales import Upload, as_csv, as_json, as_ndjson

Row = Mapping[str, Any]


def as_xml(rows: Sequence[Row]) -> bytes:
    fields = ["".join(f"<{name}>{value}</{name}>" for name, value in row.items()) for row in rows]
    return f"<sales>{''.join(f'<sale>{row}</sale>' for row in fields)}</sales>".encode()


def as_sheet(rows: Sequence[Row]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate([rows[0], *(row.values() for row in rows)]):
            sheet.write_row(number, 0, line)
    return out.getvalue()


def as_parquet(rows: Sequence[Row]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


FORMATS: Mapping[str, Callable[..., bytes]] = {
    "csv": as_csv, "json": as_json, "ndjson": as_ndjson, "xml": as_xml, "excel": as_sheet, "parquet": as_parquet,
}  # fmt: skip


def contract(limits: Mapping[str, int], *, rescue: bool = False) -> Contract:
    return parse_contract(
        {
            "name": "sales",
            "schema": {"fields": [{"name": "sku", "constraints": {"unique": True}}], "fieldsMatch": "subset"},
            "pipeline": {"rescue": rescue, "limits": dict(limits)},
        }
    )


@pytest.fixture
def lake(tmp_path: Path) -> OpenLake:
    return folder_lake(tmp_path)


FEW = [{"sku": f"{number:04}", "title": "Salt", "price": "1.50"} for number in range(3)]
LONG = [{"sku": "0001", "title": "x"}, {"sku": "0002", "title": "y" * 24 * MEBIBYTE}, {"sku": "0003", "title": "x"}]
TWICE = [{"sku": "0001", "title": "x"}] * 5


def deep(levels: int) -> bytes:
    return b'{"sku": "0001"}\n{"sku": "0002", "more": ' + b"[" * levels + b"]" * levels + b"}\n"


def deep_elements(levels: int) -> bytes:
    return b"<s><r><sku>1</sku></r><r><sku>2</sku>" + b"<d>" * levels + b"</d>" * levels + b"</r></s>"


CASES = [
    *(pytest.param(encode(FEW), {"columns": 2}, {"columns": 3}, id=f"columns-{n}") for n, encode in FORMATS.items()),
    *(
        pytest.param(FORMATS[name](LONG), {}, {"rowBytes": 32 * MEBIBYTE}, id=f"rowBytes-{name}")
        for name in ("csv", "json", "ndjson", "xml")
    ),
    pytest.param(deep_elements(120), {}, {"depth": 150}, id="depth-xml"),
    pytest.param(as_xml(FEW), {"cells": 2}, {"cells": 9}, id="cells"),
    pytest.param(as_sheet(FEW), {"workbookBytes": 1000}, {"workbookBytes": 100_000}, id="workbookBytes"),
    pytest.param(as_parquet(FEW), {"rowGroupBytes": 10}, {"rowGroupBytes": 10_000}, id="rowGroupBytes"),
    pytest.param(as_csv(TWICE), {"repeatedRows": 4}, {"repeatedRows": 5}, id="repeatedRows"),
]


@pytest.mark.parametrize(("data", "tight", "loose"), CASES)
def test_a_file_is_refused_naming_the_limit_and_taken_where_it_is_raised(
    data: bytes, tight: dict[str, int], loose: dict[str, int], lake: OpenLake
) -> None:
    record = lake.take(Upload(data), contract(tight))
    assert (record.status, record.rows_out) == ("refused", 0)
    assert f"limits.{next(iter(loose))}" in (record.reason or "")
    record = lake.take(Upload(data), contract(loose))
    assert record.status in ("processed", "partial"), record.reason


@pytest.mark.parametrize("document", [False, True])
def test_a_json_row_that_is_too_deep_is_quarantined_naming_the_limit(document: bool, lake: OpenLake) -> None:
    data = b"[" + deep(120).strip().replace(b"}\n{", b"},{") + b"]" if document else deep(120)
    record = lake.take(Upload(data), contract({}, rescue=True))
    assert (record.rows_out, record.rows_quarantined) == (1, 1)
    assert "nested more than 100 deep (limits.depth" in lake.quarantined()[0]["reason"]
    assert lake.take(Upload(data, "v2", "02"), contract({"depth": 150}, rescue=True)).rows_out == 2


@pytest.mark.parametrize("rescue", [False, True])
@pytest.mark.parametrize("encode", [as_json, as_ndjson, as_xml])
def test_rows_that_share_no_column_cost_no_more_than_their_own_bytes(
    encode: Callable[..., bytes], rescue: bool, lake: OpenLake
) -> None:
    rows = [{"sku": f"{number}", f"a{number}": 1} for number in range(30_000)]
    record = lake.take(Upload(encode(rows)), contract({}, rescue=rescue))
    assert "limits.c" in (record.reason or "") if rescue else record.rows_out == len(rows)


@pytest.mark.parametrize("format_", FORMATS)
def test_the_validator_and_the_command_line_keep_to_the_same_limits(
    format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = FORMATS[format_](FEW)
    limited = contract({"columns": 2})
    if format_ != "parquet":  # the validator has no reader of it
        with pytest.raises(RefusedFile, match=r"3 columns, more than 2 \(limits\.columns"):
            admit(Upload(data), limited, Registry(), "never")
    (tmp_path / "upload").write_bytes(data)
    (tmp_path / "sales.yaml").write_text(yaml.safe_dump(dict(limited.descriptor)), encoding="utf-8")
    assert main(["check", str(tmp_path / "upload"), "--contract", str(tmp_path / "sales.yaml")]) == 1
    shown = capsys.readouterr()
    assert "3 columns, more than 2 (limits.columns" in shown.out + shown.err


@pytest.mark.parametrize(("limits", "expected"), [({"depth": 251}, "at most 250"), ({"cells": 0}, "at least 1")])
def test_a_limit_that_nothing_could_keep_to_is_a_mistake(limits: dict[str, int], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        contract(limits)
