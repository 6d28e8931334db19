"""Uploads that are packed: told by content, unpacked in bounds, and refused where they could hide anything."""

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runtime.contract import Contract
from tests.runtime.lakes import OpenLake, folder_lake
from tests.runtime.sales import KEY, SALES, Upload, as_csv, as_json, as_ndjson, contract

GOOD = as_csv(SALES)


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


def zipped(members: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


PACKERS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
    "zip": lambda data: zipped({"monday.csv": data}),
}


@pytest.fixture
def folder(tmp_path: Path) -> OpenLake:
    return folder_lake(tmp_path)


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("encode", [as_csv, as_json, as_ndjson])
def test_a_packed_file_gives_its_rows_whatever_its_name(
    packing: str, encode: Callable[..., bytes], lake: OpenLake
) -> None:
    record = lake.take(Upload(PACKERS[packing](encode(SALES))))
    assert (record.status, record.rows_out, record.encoding) == ("processed", 3, "utf-8")
    assert packing in (record.details or "")
    assert [(row["_source_row"], row["sku"], row["title"]) for row in lake.rows()] == [
        (number, sale["sku"], sale["title"]) for number, sale in enumerate(SALES, 1)
    ]


@pytest.mark.parametrize("packing", PACKERS)
def test_a_large_packed_file_is_read_to_its_end(packing: str, folder: OpenLake) -> None:
    rows = "".join(f"{number:06},t{number * 7919 % 1000},1.50,g\n" for number in range(200_000))
    record = folder.take(Upload(PACKERS[packing](b"sku,title,price,genre\n" + rows.encode())))
    assert (record.rows_in, record.rows_out) == (200_000, 200_000)


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("cut", [0.4, 0.97])
def test_a_truncated_file_is_refused_and_says_so(packing: str, cut: float, folder: OpenLake) -> None:
    rows = "".join(f"{number:06},t{number * 7919 % 1000},1.50,g\n" for number in range(20_000))
    packed = PACKERS[packing](b"sku,title,price,genre\n" + rows.encode())
    record = folder.take(Upload(packed[: int(len(packed) * cut)]))
    assert record.status == "refused"
    assert "cut off or damaged" in (record.reason or "")
    assert "upload it again" in (record.reason or "")


def test_gzip_files_one_after_the_other_are_one_file(folder: OpenLake) -> None:
    half = len(GOOD) // 2
    assert folder.take(Upload(gzip.compress(GOOD[:half]) + gzip.compress(GOOD[half:]) + b"\0" * 600)).rows_out == 3


def test_what_follows_a_gzip_file_and_is_none_refuses_it(folder: OpenLake) -> None:
    assert folder.take(Upload(gzip.compress(GOOD) + b"more")).status == "refused"


def test_the_members_of_an_archive_are_read_as_one_file_and_a_reason_names_the_member(lake: OpenLake) -> None:
    members = {
        "week/": b"",
        "week/monday.csv": GOOD,
        "__MACOSX/week/._monday.csv": b"\0\5\x16\7",
        "week/.DS_Store": b"\0\0\0\1Bud1",
        "week/tuesday.json": as_json([SALES[0] | {"price": "dear"}, SALES[1]]),
    }
    record = lake.take(Upload(zipped(members)))
    assert (record.status, record.rows_in, record.rows_out, record.rows_quarantined) == ("partial", 5, 4, 1)
    assert "zip of 2 files" in (record.details or "")
    assert sorted(row["_source_row"] for row in lake.rows()) == [1, 2, 3, 5]
    [refused] = lake.quarantined()
    assert refused["_source_row"] == 4
    assert refused["reason"].startswith('week/tuesday.json: price: "dear" is not a number')


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"monday.csv": GOOD, "readme.txt": b"Sales of this week\n"}, "readme.txt: not a file of sales"),
        ({"monday.csv": GOOD, "photo.png": b"\x89PNG\r\n\x1a\n\0"}, "photo.png: the content is a PNG picture"),
        ({"monday.csv": GOOD, "empty.csv": b""}, "empty.csv: the file is empty"),
        ({"monday.csv": GOOD, "more.zip": zipped({"tuesday.csv": GOOD})}, "more.zip: what is packed here is packed"),
        ({"monday.csv.gz": gzip.compress(GOOD)}, "packed again (gzip)"),
        ({}, "holds no file"),
        ({"folder/": b""}, "holds no file"),
    ],
)
def test_an_archive_with_a_member_that_is_no_file_of_the_contract_is_refused(
    members: Mapping[str, bytes], reason: str, lake: OpenLake
) -> None:
    record = lake.take(Upload(zipped(members)))
    assert (record.status, record.rows_out) == ("refused", 0)
    assert reason in (record.reason or "")
    assert lake.rows() == []


def test_an_archive_with_a_password_is_refused(folder: OpenLake) -> None:
    packed = bytearray(zipped({"monday.csv": GOOD}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(signature) + offset] |= 1
    reason = folder.take(Upload(bytes(packed))).reason or ""
    assert "monday.csv: this file is encrypted; pack it without a password" in reason


def test_a_path_in_an_archive_is_a_name_and_leads_nowhere(tmp_path: Path) -> None:
    lake = folder_lake(tmp_path / "lake")
    before = {path for path in tmp_path.rglob("*") if "lake" not in path.parts}
    record = lake.take(Upload(zipped({"../../evil.csv": GOOD, "/etc/evil.csv": GOOD})))
    assert record.rows_out == 6
    assert not list(tmp_path.rglob("evil*"))
    assert {path for path in tmp_path.rglob("*") if "lake" not in path.parts} == before


def _limited(**limits: int) -> Contract:
    return contract(limits=limits)


@pytest.mark.parametrize(
    ("data", "limits", "reason"),
    [
        (gzip.compress(GOOD + b"0009,x,1.00,g\n" * 3_000_000), {"unpackedRatio": 10}, "limits.unpackedRatio"),
        (zstd(GOOD + b"\n" * 40_000_000), {}, "limits.unpackedRatio"),
        (gzip.compress(GOOD * 1000), {"unpackedBytes": 10_000}, "more than 10,000 bytes (limits.unpackedBytes"),
        (zipped({f"{n}.csv": GOOD for n in range(4)}), {"members": 3}, "4 files, more than 3 (limits.members"),
        (GOOD, {"columns": 3}, "4 columns, more than 3 (limits.columns"),
    ],
    ids=["ratio", "zstd bomb", "size", "members", "columns"],
)
def test_what_goes_beyond_a_limit_is_refused_and_the_limit_named(
    data: bytes, limits: Mapping[str, int], reason: str, folder: OpenLake
) -> None:
    record = folder.take(Upload(data), _limited(**limits))
    assert (record.status, record.rows_out) == ("refused", 0)
    assert reason in (record.reason or "")


def test_the_same_file_is_taken_where_the_limit_allows_it(folder: OpenLake) -> None:
    assert folder.take(Upload(gzip.compress(GOOD * 1)), _limited(unpackedBytes=len(GOOD))).rows_out == 3


@pytest.mark.parametrize("packing", PACKERS)
def test_a_format_that_goes_back_and_forth_is_unpacked_to_disk_first(packing: str, lake: OpenLake) -> None:
    table = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(SALES), table)
    record = lake.take(Upload(PACKERS[packing](table.getvalue())))
    assert (record.format, record.rows_out, record.encoding) == ("parquet", 3, None)


def test_what_is_unpacked_to_disk_is_bounded(folder: OpenLake) -> None:
    table = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(SALES), table)
    record = folder.take(Upload(gzip.compress(table.getvalue())), _limited(spooledBytes=100))
    assert "limits.spooledBytes" in (record.reason or "")


def test_a_small_bzip2_file_is_no_text(folder: OpenLake) -> None:
    assert folder.take(Upload(bz2.compress(GOOD), key=KEY)).details is not None


def test_zstd_is_read_by_pyarrow_where_no_other_decompressor_is_installed() -> None:
    script = """
import io, sys
sys.modules["backports.zstd"] = None  # importing it raises ImportError
from formats import MalformedFile
from formats.limits import LIMITS
from formats.packing import unpacked
packed = sys.stdin.buffer.read()
print(len(unpacked(io.BytesIO(packed), "zstd", LIMITS).read()))
try:
    unpacked(io.BytesIO(packed[:-9]), "zstd", LIMITS).read()
except MalformedFile as error:
    print(error)
"""
    data = bytes(range(256)) * 1000
    done = subprocess.run([sys.executable, "-c", script], input=zstd(data), capture_output=True, check=True)
    size, message = done.stdout.decode().splitlines()
    assert int(size) == len(data)
    assert "cut off or damaged" in message


def test_prices_come_out_exact_from_a_packed_file(lake: OpenLake) -> None:
    lake.take(Upload(gzip.compress(GOOD)))
    assert [row["price"] for row in lake.rows()] == [Decimal(sale["price"]) for sale in SALES]
