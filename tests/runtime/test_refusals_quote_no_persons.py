"""What is said of a damaged file under a contract with personal fields, anywhere: nothing of a person."""

import contextlib
import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.cli import main
from runtime.ledger import Ledger, Record
from runtime.notice import notice_of
from runtime.source import LocalFile
from runtime.storage import FolderStorage
from tests.runtime.sales import as_csv, as_json, as_ndjson

PERSONS = """\
name: visits
schema:
  fields:
    - {name: price, type: number}
    - {name: guest, personal: drop}
    - {name: email, personal: mask}
    - {name: card, personal: hash}
    - {name: sku, constraints: {required: true}}
pipeline: {hashKey: a key of the tests only}
"""
NO_PERSONS = "{name: stock, schema: {fields: [{name: shelf}, {name: amount, type: integer}]}}"
SECRET = "XQJZK"
"""In every value of a personal field, at its beginning: of a masked one the end is kept."""
TRACES = (SECRET[:3], SECRET[:3].encode().hex(" "), SECRET[:3].encode().hex())
ROW = {"price": "1.50", "guest": f"{SECRET} Ada", "email": f"{SECRET}@x.org", "card": f"{SECRET} 4111", "sku": "001"}
ROWS = [{**ROW, "sku": f"{number:03}"} for number in range(4)]


def as_xml(rows: list[dict[str, str]]) -> bytes:
    elements = ("".join(f"<{name}>{value}</{name}>" for name, value in row.items()) for row in rows)
    return f"<visits>{''.join(f'<visit>{element}</visit>' for element in elements)}</visits>".encode()


def as_workbook(rows: list[dict[str, str]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
            sheet.write_row(number, 0, line)
    return out.getvalue()


def as_parquet(rows: list[dict[str, str]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, compression="none")
    return out.getvalue()


def as_zip(rows: list[dict[str, str]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:  # not compressed, so that its faults may quote it
        archive.writestr("monday.csv", as_csv(rows))
    return out.getvalue()


ENCODERS: dict[str, Callable[[list[dict[str, str]]], bytes]] = {
    "csv": as_csv,
    "json": as_json,
    "ndjson": as_ndjson,
    "xml": as_xml,
    "xlsx": as_workbook,
    "parquet": as_parquet,
    "csv.gz": lambda rows: gzip.compress(as_csv(rows)),
    "zip": as_zip,
}


def all_that_is_said(data: bytes, suffix: str) -> str:
    """Everything that the pipeline leaves behind of a file: the lake, unpacked, the notice, and what is printed."""
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        here = Path(folder)
        (here / "contracts").mkdir()
        (here / "contracts/visits.yaml").write_text(PERSONS)
        (here / "contracts/stock.yaml").write_text(NO_PERSONS)
        upload = here / f"upload.{suffix}"
        upload.write_bytes(data)
        for contract in ([], ["--contract", "visits"]):
            options = [str(upload), "--contracts", str(here / "contracts"), *contract]
            main(["check", *options])
            main(["run", *options, "--lake", str(here / "lake")])
        for file in (here / "lake").rglob("*"):
            if file.is_file():
                said.write(file.read_bytes().decode("latin-1"))
                if file.suffix == ".parquet":
                    said.write(str(pq.read_table(file).to_pylist()))
        said.write(notice_of([record_of(upload, here / "lake")], "").message)
    return said.getvalue()


def record_of(upload: Path, lake: Path) -> Record:
    entry = Ledger(FolderStorage(lake / "ledger")).find(LocalFile(upload).version)
    assert entry
    return entry.record


def traces(said: str) -> list[str]:
    """Where something of a person shows, with what stands around it."""
    return [said[max(0, said.find(trace) - 200) :][:300] for trace in TRACES if trace in said]


def test_the_files_say_who_was_there() -> None:
    """Else nothing would be tested here."""
    for suffix, encode in ENCODERS.items():
        if suffix not in ("csv.gz", "xlsx"):
            assert SECRET.encode() in encode(ROWS), suffix


@pytest.mark.parametrize("suffix", ENCODERS)
def test_of_a_good_file_no_person_is_shown(suffix: str) -> None:
    said = all_that_is_said(ENCODERS[suffix](ROWS), suffix)
    assert "4 rows" in said
    assert traces(said) == []


LONG = "x" * 1_100_000
HEADERLESS = [{value if name != "sku" else "001": value for name, value in ROW.items()}]

DAMAGED: dict[str, tuple[str, bytes]] = {
    "CSV without its header": ("csv", f"{SECRET},Ada\n{SECRET},Bob\n".encode()),
    "CSV with a row that never ends": ("csv", as_csv(ROWS) + f"2.50,{SECRET}{LONG}".encode()),
    "CSV with a row too short": ("csv", as_csv(ROWS) + f"{SECRET},2\n".encode()),
    "CSV with an open quotation mark": ("csv", as_csv(ROWS) + f'2,"{SECRET},a,b,c\n'.encode()),
    "CSV with a total": ("csv", as_csv(ROWS) + f"Total of {SECRET},,\n".encode()),
    "CSV that is not UTF-8": (
        "csv",
        as_csv(ROWS) + f"2,{SECRET}é,é,é,é\n".encode() + f"2,{SECRET}\n".encode("latin-1"),
    ),
    "text of no format": ("csv", f"{SECRET}\0\1".encode()),
    "JSON that goes wrong": ("json", as_json(ROWS).replace(f'"{SECRET}'.encode(), f'{SECRET}"'.encode(), 1)),
    "JSON that goes wrong at a name": ("json", as_json(ROWS)[:-2] + f', "{SECRET}" 7}}]'.encode()),
    "JSON with a name twice": ("json", as_json(ROWS)[:-2] + f', "{SECRET}": 1, "{SECRET}": 1}}]'.encode()),
    "JSON with more rows behind": ("json", f'{{"rows": [{{"sku": 1}}], "{SECRET}": [{{"sku": 1}}]}}'.encode()),
    "JSON that is cut off": ("json", as_json(ROWS)[:-40]),
    "JSON with persons for names": ("json", as_json(HEADERLESS)),
    "JSON lines that go wrong": ("ndjson", as_ndjson(ROWS) + f'{{"guest": {SECRET}}}\n'.encode()),
    "JSON lines with a name twice": ("ndjson", as_ndjson(ROWS) + f'{{"{SECRET}": 1, "{SECRET}": 1}}\n'.encode()),
    "JSON lines with one too long": ("ndjson", as_ndjson(ROWS) + f'{{"guest": "{SECRET}{LONG * 5}'.encode()),
    "XML that goes wrong": ("xml", as_xml(ROWS).replace(b"</guest>", f"</{SECRET}>".encode(), 1)),
    "XML with a document type": ("xml", f"<!DOCTYPE {SECRET}>".encode() + as_xml(ROWS)),
    "XML in an unknown encoding": ("xml", f'<?xml version="1.0" encoding="{SECRET}"?>'.encode() + as_xml(ROWS)),
    "XML with persons for names": ("xml", as_xml([{SECRET: "1", "sku": "2"}] * 2)),
    "XML with persons beside the rows": (
        "xml",
        as_xml(ROWS).replace(b"<visit>", f"<{SECRET}/><visit>".encode()).replace(b"</visits>", b"<end/></visits>"),
    ),
    "a workbook without its header": ("xlsx", as_workbook(HEADERLESS * 3)),
    "a workbook with a person for two columns": ("xlsx", as_workbook([{SECRET: "1", f"{SECRET} ": "2"}] * 2)),
    "a workbook with a value too many": ("xlsx", as_workbook([ROW, {**ROW, "": SECRET}])),
    "a workbook that is cut off": ("xlsx", as_workbook(ROWS)[:-300]),
    "Parquet with persons for names": ("parquet", as_parquet(HEADERLESS)),
    "Parquet that is cut off": ("parquet", as_parquet(ROWS)[:-60] + as_parquet(ROWS)[-8:]),
    "an archive with another name within": ("zip", as_zip(ROWS).replace(b"monday.csv", f"m{SECRET}.csv".encode(), 1)),
}


@pytest.mark.parametrize("damaged", DAMAGED)
def test_of_a_damaged_file_no_person_is_shown(damaged: str) -> None:
    suffix, data = DAMAGED[damaged]
    said = all_that_is_said(data, suffix)
    assert "refused" in said or "quarantine" in said
    assert traces(said) == []


@pytest.mark.parametrize("suffix", ENCODERS)
@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 4), st.text('",;|\n\r\t[]{}<>/:=\\ab01é\0', max_size=8), st.booleans())
@example(0, 0, "\0", False)
@example(40, 4, "", True)
def test_whatever_the_damage_no_person_is_shown(suffix: str, place: int, removed: int, added: str, cut: bool) -> None:
    """What is taken out is shorter than any name, so that no value comes to stand under another's."""
    data = ENCODERS[suffix](ROWS)
    place %= len(data)
    rest = b"" if cut else data[place + removed :]
    assert traces(all_that_is_said(data[:place] + added.encode() + rest, suffix)) == []


def test_where_no_field_is_personal_a_refusal_quotes_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "stock.yaml").write_text(NO_PERSONS)
    (tmp_path / "stock.csv").write_bytes(b"shelf,number\nA,1\n")
    assert main(["check", str(tmp_path / "stock.csv"), "--contract", str(tmp_path / "stock.yaml")]) == 1
    assert "its columns are 'shelf', 'number'" in capsys.readouterr().out
