"""Files made to take all memory or time, or to be misunderstood: refused in words, or rows in quarantine, in bounds."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from formats import Format, MalformedFile
from formats.csv import Csv
from formats.excel import Excel
from formats.json import Json, NdJson
from formats.parquet import Parquet
from formats.reading import read, values_of
from formats.xml import Xml
from runtime.contract import parse_contract
from tests.formats.test_excel import sheet, workbook
from tests.runtime.lakes import folder_lake
from tests.runtime.sales import Upload

SIZE = 2 * 1024**3
MEMORY = 200
"""Mebibytes that a process may take for it, of which Python and Arrow are 60."""


def read_endless(format_: str, begin: bytes, chunk: bytes, end: bytes, size: int = SIZE) -> dict[str, Any]:
    """What comes of a file that is made as it is read, in a process of its own: rows, faults, a reason, memory."""
    command = [sys.executable, "-m", "tests.formats.endless", format_, *map(repr, (begin, chunk, size, end))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("format_", "begin", "chunk", "end"),
    [
        ("csv", b"a,b\n1,", b"x", b"\n"),
        ("csv", b'a,b\n1,"', b"x", b'"\n'),
        ("csv", b"a,b\n", b",", b"\n"),
        ("ndjson", b'{"a": 1}\n{"a": "', b"x", b'"}'),
        ("ndjson", b'{"a": 1}\n', b"[", b""),
        ("ndjson", b'{"a": 1}\n{"a": 1', b',"a": 1', b"}"),
        ("json", b'[{"a": 1},{"a": "', b"x", b'"}]'),
        ("json", b'[{"a": 1},{"a": ', b"9", b"}]"),
        ("xml", b"<s><r><a>1</a></r><r><a>", b"x", b"</a></r></s>"),
        ("xml", b'<s><r><a>1</a></r><r a="', b"x", b'"/></s>'),
        ("xml", b"<s><r><a>1</a></r><r>", b"<b>1</b>", b"</r></s>"),
        ("xml", b"<s><r><a>1</a></r><!--", b"x", b"--></s>"),
    ],
)
def test_a_row_of_two_gigabytes_is_refused_naming_the_limit(
    format_: str, begin: bytes, chunk: bytes, end: bytes
) -> None:
    found = read_endless(format_, begin, chunk, end)
    assert "1,048,576" in found["reason"]
    assert "limits.rowBytes" in found["reason"]
    assert found["mebibytes"] < MEMORY


@pytest.mark.parametrize(
    ("format_", "begin", "chunk", "reason"),
    [
        ("json", b'[{"a": 1},{"a": ', b"[", "nested too deeply"),
        ("json", b'[{"a": 1},{"a": ', b'{"a":', "nested too deeply"),
        ("xml", b"<s><r><a>1</a></r>", b"<d>", "nested more than 100 deep (limits.depth"),
    ],
)
def test_nesting_without_end_is_refused(format_: str, begin: bytes, chunk: bytes, reason: str) -> None:
    found = read_endless(format_, begin, chunk, b"", 10_000_000)
    assert reason in found["reason"]
    assert found["mebibytes"] < MEMORY


@pytest.mark.parametrize(
    ("format_", "begin", "chunk", "end", "reason"),
    [
        ("csv", b"a,b\n", b'"a\nb"x,1\n', b"1,2\n", "none closes it"),
        ("csv", b"a,b\n", b'"a,1\nx,"b\n', b"1,2\n", "none closes it"),
        ("ndjson", b'{"a": 1}\n', b"}{\n", b'{"a": 2}\n', "the row is not JSON"),
    ],
)
def test_faulty_rows_without_end_are_each_told_in_time_that_grows_with_them(
    format_: str, begin: bytes, chunk: bytes, end: bytes, reason: str
) -> None:
    found = read_endless(format_, begin, chunk, end, 128 * 1024)
    assert reason in found["reason"]
    assert found["rows"] > found["malformed"] > 10_000


MILLION = range(1_000_000)


@pytest.mark.parametrize(
    ("format_", "data"),
    [
        (Csv(), b",".join(b"c%d" % n for n in MILLION) + b"\n1\n"),
        (Csv(), b"a,b\n1,2\nx" + b"," * 1_000_000 + b"\n3,4\n"),
        (Json(), b'[{"a": 1}, {%s}]' % b",".join(b'"c%d": 1' % n for n in MILLION)),
        (NdJson(), b'{"a": 1}\n{%s}\n' % b",".join(b'"c%d": 1' % n for n in MILLION)),
        (Xml(), b"<s><r><a>1</a></r><r>%s</r></s>" % b"".join(b"<c%d/>" % n for n in MILLION)),
        (Xml(), b"<s><r><a>1</a></r><r %s/></s>" % b" ".join(b"c%d=''" % n for n in MILLION)),
    ],
    ids=["csv header", "csv row", "json", "ndjson", "xml elements", "xml attributes"],
)
def test_a_million_columns_are_refused_or_cost_their_row(format_: Format, data: bytes) -> None:
    try:
        rows = values_of(read(format_, data))
    except MalformedFile as error:
        assert "limits." in str(error) or "the first line is longer" in str(error)  # noqa: PT017 - or rows came
    else:
        assert rows == [{"a": "1", "b": "2"}, None, {"a": "3", "b": "4"}]


def test_more_columns_of_a_sheet_than_the_limit_are_refused() -> None:
    with pytest.raises(MalformedFile, match=r"10,001 columns, more than 10,000 \(limits.columns"):
        read(Excel(), sheet([f"c{n}" for n in range(10_001)], ["1"] * 10_001))


def test_more_columns_of_parquet_than_the_limit_are_refused() -> None:
    out = pa.BufferOutputStream()
    pq.write_table(pa.table({f"c{n}": pa.array([1], pa.int8()) for n in range(10_001)}), out)
    with pytest.raises(MalformedFile, match=r"10,001 columns, more than 10,000 \(limits.columns"):
        read(Parquet(), out.getvalue().to_pybytes())


@pytest.mark.parametrize(("days", "shown"), [(-719_529, "-0001-12-31"), (2_932_897, "10000-01-01"), (34_000_000, "")])
def test_days_of_parquet_that_no_calendar_has_come_as_text_and_not_as_another_day(days: int, shown: str) -> None:
    out = pa.BufferOutputStream()
    pq.write_table(pa.table({"day": pa.array([days, 0], pa.date32()), "n": pa.array([days] * 2, pa.date32())}), out)
    far, epoch = read(Parquet(), out.getvalue().to_pybytes())
    assert epoch.values == {"day": "1970-01-01", "n": (far.values or {})["day"]}
    assert ((far.values or {})["day"] == shown) if shown else ("out of range" in (far.values or {})["day"])


def test_dates_beyond_the_calendar_are_quarantined_from_text_workbooks_and_parquet(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        made = book.add_worksheet()
        made.write_row(0, 0, ["day"])
        for row, number in enumerate([45_000, 2_958_466, 36_000_000, -5], 1):
            made.write_number(row, 0, number, book.add_format({"num_format": "yyyy-mm-dd"}))

    out = pa.BufferOutputStream()
    pq.write_table(pa.table({"day": pa.array([19_431, -719_529, 2_932_897, 34_000_000], pa.date32())}), out)
    days = ["2023-03-15", "0000-01-01", "10000-01-01", "99999-12-31"]
    uploads = {
        "csv": "\n".join(["day", *days]).encode() + b"\n",
        "ndjson": "".join(f'{{"day": "{day}"}}\n' for day in days).encode(),
        "excel": workbook(fill),
        "parquet": out.getvalue().to_pybytes(),
    }
    contract = parse_contract({"name": "sales", "schema": {"fields": [{"name": "day", "type": "date"}]}})
    for name, data in uploads.items():
        lake = folder_lake(tmp_path / name)
        record = lake.take(Upload(data), contract)
        assert (record.format, record.rows_in, record.rows_quarantined) == (name, 4, 3), record.reason
        assert [str(row["day"]) for row in lake.rows()] == ["2023-03-15"]


@pytest.mark.parametrize(
    ("format_", "data"),
    [
        (Csv(), b"a,b\n1,x\n2,\0\n3,y\n"),
        (NdJson(), b'{"a": "1", "b": "x"}\n{"a": "2", "b": "\0"}\n{"a": "3", "b": "y"}\n'),
    ],
)
def test_a_null_byte_costs_no_more_than_its_row(format_: Format, data: bytes) -> None:
    try:
        rows = values_of(read(format_, data))
    except MalformedFile as error:
        assert str(error)  # noqa: PT017 - or rows came
    else:
        assert (rows[0], rows[2]) == ({"a": "1", "b": "x"}, {"a": "3", "b": "y"})


@pytest.mark.parametrize("format_", [Csv(), Json(), NdJson(), Xml(), Excel(), Parquet()])
def test_formulas_are_kept_as_the_text_that_they_are(format_: Format) -> None:
    formulas = ["=1+1", "+49 30", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1"]
    rows = [{"sku": "0001", "title": formula} for formula in formulas]
    encoded = {
        "csv": lambda: "sku,title\n" + "".join(f'0001,"{formula}"\n' for formula in formulas),
        "json": lambda: json.dumps(rows),
        "ndjson": lambda: "".join(json.dumps(row) + "\n" for row in rows),
        "xml": lambda: f"<s>{''.join(f'<r><sku>0001</sku><title>{f}</title></r>' for f in formulas)}</s>",
    }
    if format_.name == "excel":
        data = sheet(["sku", "title"], *(["0001", formula] for formula in formulas))
    elif format_.name == "parquet":
        out = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows), out)
        data = out.getvalue().to_pybytes()
    else:
        data = encoded[format_.name]().encode()
    assert values_of(read(format_, data)) == rows


def test_a_name_that_stands_twice_among_very_many_is_found_at_once() -> None:
    names = ",".join(f'"c{n}": 1' for n in range(100_000))
    good, bad = read(NdJson(), f'{{"a": 1}}\n{{{names}, "z": 1, "z": 2}}\n'.encode(), lambda _: None)
    assert good.values == {}
    assert "stands twice" in bad.reason
