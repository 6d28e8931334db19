"""What the fuzzer damages: small files of each format, and the words that its parser listens to."""

import bz2
import datetime
import gzip
import io
import json
import lzma
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from formats import Format, MalformedFile
from formats.csv import Csv
from formats.encoding import decoded, marked, seen, utf_8_or_windows
from formats.excel import Excel
from formats.json import Json, NdJson
from formats.limits import LIMITS
from formats.packing import ZIP, Archive, packing_of, unpacked
from formats.parquet import Parquet
from formats.reading import read_through
from formats.xml import Xml
from runtime.contract_file import load_contract
from runtime.descriptor import ContractError

_ROWS = [
    {"sku": f"00{n}", "title": title, "price": n + 0.5} for n, title in enumerate(['Salt, "a"', "Über 📚", "=1+1"])
]


@dataclass(frozen=True)
class Samples:
    """Files to damage, and words to damage them with."""

    format: Format
    files: Sequence[bytes]
    words: Sequence[bytes]
    through: Callable[[bytes], object] | None = None
    """What reads a file where it isn't the format alone."""
    packed: bool = False
    """Whether the files are ZIP archives, whose parts are damaged before they are packed."""


def _csv() -> Samples:
    files = [
        b'sku,title,price\r\n001,"Salt, ""a""",0.5\r\n002,"two\nlines",1.5\r\n',
        b"a;b\n1;2,5\n\n3;'x'\n",
        b"a\tb\tc\n1\t2\n1\t2\t3\t4\n",
        b"a;b\n1;2;\n3;4;\n5;6\n7;8;9\n",
        b"a;b;c\n1;2;3\n4;5;6\n\nTitle\nx;y;z\n7;8;9\n\na;b;c\n1;1;1\n",
        b'a, b\n1, "x, y"\n2,  "two\nlines"\n, \n',
        "Umsätze\n\ufeffa|b\n1|é".encode(),
    ]
    return Samples(
        Csv(), files, [b'"', b'""', b",", b";", b"\t", b"\r", b"\n", b"\r\n", b"\\", b"\0", b"\xff", b"\xef\xbb\xbf"]
    )


def _json() -> Samples:
    files = [
        json.dumps(_ROWS).encode(),
        json.dumps({"shop": {"id": 1}, "sales": _ROWS, "end": []}, indent=1, ensure_ascii=False).encode(),
        b'[{"a": {"b": [1, {"c": null}]}, "d": true}, {"a": 1e9}, {}]',
    ]
    return Samples(Json(), files, _JSON_WORDS)


def _ndjson() -> Samples:
    files = ["".join(json.dumps(row) + "\n" for row in _ROWS).encode(), b'{"a": {"b": 1}}\n{"a": {"b": "x"}}\r\n{}\n']
    return Samples(NdJson(), files, _JSON_WORDS)


_JSON_WORDS = [
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"\\",
        b"\\ud83d",
        b"null",
        b"true",
        b"NaN",
        b"-",
        b"1e999",
        b"0",
        b"\n",
    ),
    *(b"[" * 5000, b"9" * 5000, b"\0", b"\xff", b'"a": 1,', b'{"a": 1}', b"\xef\xbb\xbf"),
]


def _xml() -> Samples:
    row = '<sale id="7"><sku>00{0}</sku><item n="&lt;"><title>Ü &amp; {0}</title></item><b/></sale>'
    files = [
        f"<sales>{row.format(1)}\n{row.format(2)}{row.format(3)}</sales>".encode(),
        f'<?xml version="1.0" encoding="windows-1252"?><s><x>{row.format(1)}{row.format(2)}</x></s>'.encode("cp1252"),
        b'<a:s xmlns:a="urn:x"><a:r a:k="1"><![CDATA[<]]></a:r><!-- c --><a:r a:k="2">t</a:r></a:s>',
        b'<s><r a="1"/><r a="2"/></s>',
    ]
    words = [
        *(
            b"<",
            b">",
            b"/>",
            b"</",
            b"&",
            b"&amp;",
            b"&#0;",
            b"&#xD800;",
            b"&#x110000;",
            b'"',
            b"'",
            b"=",
            b"]]>",
            b"<!--",
        ),
        *(b"-->", b"<![CDATA[", b"<?", b"?>", b"<!DOCTYPE s [<!ENTITY a 'b'>]>", b"&a;", b"xmlns:a=''", b"<d>" * 2000),
        *(
            b"</sale>",
            b"<sale>",
            b"<sku>",
            b"</sku>",
            b' id="8"',
            b"\r",
            b"\n",
            b"\0",
            b"\x01",
            b"\xff",
            b"\xef\xbb\xbf",
        ),
    ]
    return Samples(Xml(), files, words)


def _excel() -> Samples:
    files = []
    for kind in range(2):
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True, "constant_memory": bool(kind)}) as book:
            sheet = book.add_worksheet("Sales")
            sheet.write_row(0, 0, list(_ROWS[0]))
            for number, row in enumerate(_ROWS, 1):
                sheet.write_row(number, 0, list(row.values()))
            sheet.write_formula(4, 2, "=SUM(C2:C4)", value=4.5)
            sheet.write_datetime(4, 0, _DAY, book.add_format({"num_format": "yyyy-mm-dd"}))
            book.add_worksheet("Other").hide()
        files.append(out.getvalue())
    files.append(_ods())
    words = [
        *(
            b"<",
            b">",
            b"/>",
            b"&",
            b'r="XFD1048576"',
            b'r="A0"',
            b't="s"',
            b't="e"',
            b"<v>99999999999</v>",
            b"<v>-1</v>",
        ),
        *(b"<v>1e308</v>", b"<v>NaN</v>", b's="999"', b"<c/>", b"<row/>", b"\0", b"\xff", b"4294967296", b"count="),
        *(b'ref="A1:XFD1048576"', b"#REF!", b'table:number-columns-repeated="16777216"', b'state="hidden"'),
    ]
    return Samples(Excel(), files, words, packed=True)


_DAY = datetime.datetime(2025, 3, 1)  # noqa: DTZ001 - a workbook knows no zone


_MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
    'manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
)


def _ods() -> bytes:
    cell = '<table:table-cell office:value-type="{0}" {1}><text:p>{2}</text:p></table:table-cell>'
    line = "<table:table-row>{}</table:table-row>"
    header = line.format(cell.format("string", "", "a") + cell.format("string", "", "b"))
    values = line.format(cell.format("float", 'office:value="1.5"', "1.5") + cell.format("string", "", "x"))
    content = (
        '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="S">{header}{values}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", _MANIFEST)
    return out.getvalue()


def _parquet() -> Samples:
    files = []
    table = pa.Table.from_pylist(_ROWS)
    for options in (
        {"compression": "none", "use_dictionary": False},
        {"compression": "zstd", "row_group_size": 2},
    ):
        out = io.BytesIO()
        pq.write_table(table, out, **options)
        files.append(out.getvalue())
    return Samples(
        Parquet(), files, [b"PAR1", b"PARE", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x15\x00"]
    )


def _packing() -> Samples:
    plain = _csv().files[0] * 20
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", plain)
    packed = [gzip.compress(plain), bz2.compress(plain), lzma.compress(plain), pa.compress(plain, "zstd", asbytes=True)]

    def opened(stream: BinaryIO) -> BinaryIO:
        packing = packing_of(stream.read(8))
        stream.seek(0)
        if packing != ZIP:
            return unpacked(stream, packing, LIMITS) if packing else stream
        members = Archive(stream, LIMITS)
        return members.open(members.members[0])

    words = [b"\x1f\x8b\x08", b"BZh9", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\xff\xff\xff\xff", b"\0" * 8]
    return Samples(Csv(), [*packed, zipped.getvalue()], words, lambda data: read_through(Csv(), data, opened))


def _encoding() -> Samples:
    files = [_csv().files[0].decode().encode(encoding) for encoding in ("utf-16", "utf-16-be", "windows-1252")]

    def taken(data: bytes) -> object:
        encoding = marked(data) or seen(data) or utf_8_or_windows(io.BytesIO(data))
        return read_through(Csv(), data, lambda stream: decoded(stream, encoding))

    words = [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\0", b"\0\xd8", b"\xd8\0", b"\x81", b"\n\0", b"\0\n", b'"\0']
    return Samples(Csv(), files, words, taken)


def _contract() -> Samples:
    files = [path.read_bytes() for path in sorted((Path(__file__).parents[2] / "contracts").glob("*.yaml"))]

    def loaded(data: bytes) -> object:
        with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
            Path(file.name).write_bytes(data)
            try:
                return load_contract(Path(file.name))
            except ContractError as error:
                raise MalformedFile(str(error)) from error

    words = [b"[" * 5000, b"{a: " * 5000, b"&a", b"*a", b"!!python/object:x", b"? ", b"- ", b": ", b"|", b"\t", b"\0"]
    return Samples(Csv(), files, words, loaded)


SAMPLES = {
    "csv": _csv,
    "json": _json,
    "ndjson": _ndjson,
    "xml": _xml,
    "excel": _excel,
    "parquet": _parquet,
    "packing": _packing,
    "encoding": _encoding,
    "contract": _contract,
}
