"""A file dropped is a table to query: uploads, followed to Athena, the notices and the ledger."""

import io
import struct
import time
import zlib

import boto3
import orjson
import pytest
import xlsxwriter
from boto3.s3.transfer import TransferConfig
from mypy_boto3_s3 import S3Client

from emulator.clients import ADMINISTRATOR, REGION
from tests.cloud.conftest import HEADER, Shop, book, eventually


def test_a_file_becomes_rows_a_notice_and_a_record(shop: Shop) -> None:
    rows = book(1, "Poetry", "12.30") + book(2, "Poetry", "0.05") + book(3, "Rock & Roll/Jazz=50%", "7.00")
    record = shop.upload("good.csv", HEADER + rows)

    counts = {name: record[name] for name in ("status", "rows_in", "rows_out", "rows_quarantined")}
    assert counts == {"status": "processed", "rows_in": 3, "rows_out": 3, "rows_quarantined": 0}
    assert shop.cloud.query(
        "SELECT genre, count(*), sum(price) FROM bookstore_sales "
        "WHERE _source_key = 'bookstore_sales/good.csv' GROUP BY 1 ORDER BY 1"
    )[1:] == [["Poetry", "2", "12.35"], ["Rock & Roll/Jazz=50%", "1", "7.00"]]
    notice = shop.notice("good.csv")
    assert notice["TopicArn"] == shop.cloud.exports["success_topic_arn"]
    assert notice["Subject"] == "Sales files: 1 file taken with 3 rows"
    assert notice["MessageAttributes"]["outcome"]["Value"] == "success"


def test_every_shape_of_json_gives_the_same_table(shop: Shop) -> None:
    rows = [dict(zip(HEADER.strip().split(","), book(n, "Shape").strip().split(","), strict=True)) for n in range(3)]
    shop.upload("array.json", orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    shop.upload("lines.ndjson", b"\n".join(map(orjson.dumps, rows)))
    shop.upload("object.json", orjson.dumps({"shop": "Main Street", "sales": rows, "total": 3}))
    found = shop.books("genre = 'Shape'")
    assert len(found) == 9
    assert found[::3] == found[1::3] == found[2::3]


def test_a_workbook_is_read_by_the_job_too(shop: Shop) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, HEADER.strip().split(","))
        for number in (1, 2):
            sheet.write_row(number, 0, book(number, "Workbook").strip().split(","))
    record = shop.upload("till.xlsx", out.getvalue())
    assert (record["status"], record["format"], record["rows_out"]) == ("processed", "excel", 2)
    assert len(shop.books("genre = 'Workbook'")) == 2


def test_a_bad_row_costs_itself_only(shop: Shop) -> None:
    record = shop.upload("partly.csv", HEADER + book(10, "Partly") + book(11, "Partly", "ten") + book(12, "Partly"))
    assert (record["status"], record["rows_in"], record["rows_out"]) == ("partial", 3, 2)
    assert shop.cloud.query(
        "SELECT _source_row, column_name, rule, reason, raw_text FROM bookstore_sales_quarantine "
        "WHERE _source_key = 'bookstore_sales/partly.csv'"
    )[1:] == [
        [
            "2",
            "price",
            "type",
            'price: "ten" is not a number with at most 10 digits before and 2 after the decimal point',
            book(11, "Partly", "ten").strip(),
        ]
    ]
    notice = shop.notice("partly.csv")
    assert notice["TopicArn"] == shop.cloud.exports["failure_topic_arn"]
    assert "1 row in quarantine" in notice["Subject"]


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.csv", b"", "the file is empty"),
        ("cut.json", b'[{"title": "A", "price": 1.00}, {"title": "B", "pri', "the file is cut off"),
        ("cut-inside.json", b'[{"title": "A", "price": 1.00}, {"title": "B", "pri]', "line 1, column"),
        ("picture.csv", _png(), "the content is a PNG picture"),
        ("rota.csv", b"day,who\nMonday,Ada\n", "these columns are missing: 'title'"),
        ("elsewhere/../odd name+%41.csv", b"day,who\nMonday,Ada\n", "these columns are missing"),
    ],
)
def test_what_is_no_sales_file_is_refused_with_a_reason_and_told(
    shop: Shop, name: str, data: bytes, reason: str
) -> None:
    record = shop.upload(name, data)
    assert record["status"] == "refused"
    assert reason in record["reason"]
    assert "Traceback" not in record["reason"]
    notice = shop.notice(f"bookstore_sales/{name}: REFUSED")
    assert notice["TopicArn"] == shop.cloud.exports["failure_topic_arn"]
    assert reason in notice["Message"]


def test_a_file_below_no_known_prefix_is_refused(shop: Shop) -> None:
    shop.cloud.client("s3").put_object(
        Bucket=shop.cloud.exports["source_bucket"], Key="stray.csv", Body=(HEADER + book(1, "Stray")).encode()
    )
    assert "upload below one of: bookstore_sales/" in shop.notice("stray.csv: REFUSED")["Message"]


def test_a_truncated_csv_loses_its_last_row_only_and_says_so(shop: Shop) -> None:
    whole = HEADER + book(20, "Cut") + book(21, "Cut") + book(22, "Cut")
    record = shop.upload("truncated.csv", whole[:-30])
    assert (record["status"], record["rows_in"], record["rows_out"]) == ("partial", 3, 2)
    [[reason]] = shop.cloud.query(
        "SELECT reason FROM bookstore_sales_quarantine WHERE _source_key = 'bookstore_sales/truncated.csv'"
    )[1:]
    assert str(reason).startswith("the row has 2 values, the header has 6 columns; ")
    assert "1 row in quarantine" in shop.notice("truncated.csv")["Subject"]


def test_a_csv_cut_within_its_last_value_loses_that_row_and_says_so(shop: Shop) -> None:
    record = shop.upload("cut-short.csv", (HEADER + book(20, "Cut") + book(21, "Cut"))[:-5])
    assert (record["status"], record["rows_in"], record["rows_out"]) == ("partial", 2, 1)
    assert "1 row in quarantine" in shop.notice("cut-short.csv")["Subject"]


def test_an_event_that_comes_twice_gives_its_rows_once(shop: Shop) -> None:
    record = shop.upload("twice.csv", HEADER + book(30, "Twice"))
    executions = len(shop.cloud.executions())
    event = {
        "detail-type": "Object Created",
        "source": "aws.s3",
        "detail": {
            "bucket": {"name": record["source_bucket"]},
            "object": {
                "key": record["source_key"],
                "size": record["source_size"],
                "version-id": record["source_version"],
                "sequencer": record["source_sequencer"],
            },
        },
    }
    sqs = shop.cloud.client("sqs")
    # In one batch with another object, so that the execution has another name and really runs again.
    other = shop.upload("other.csv", HEADER + book(31, "Other"))
    second = orjson.loads(orjson.dumps(event))
    second["detail"]["object"] |= {"key": other["source_key"], "version-id": other["source_version"]}
    batch = [{"Id": str(n), "MessageBody": orjson.dumps(body).decode()} for n, body in enumerate([event, second])]
    sqs.send_message_batch(QueueUrl=shop.cloud.exports["ingest_queue_url"], Entries=batch)
    eventually(lambda: shop.cloud.waiting(shop.cloud.exports["ingest_queue_url"]) == 0, "the queue to be empty")
    eventually(lambda: len(shop.cloud.executions()) > executions and shop.at_rest(), "all executions to end")
    assert shop.books("genre = 'Twice'") == [["Book 30", "10.00"]]
    assert shop.record("twice.csv", record["source_version"]) == record


def test_a_corrected_file_takes_the_place_of_the_one_before(shop: Shop) -> None:
    first = shop.upload("corrected.csv", HEADER + book(40, "Wrong") + book(41, "Corrected", "1.00"))
    second = shop.upload("corrected.csv", HEADER + book(41, "Corrected", "2.00"))
    eventually(
        shop.at_rest, "all executions to end"
    )  # the rows of the version before go once the new one's are on record
    assert shop.books("_source_key = 'bookstore_sales/corrected.csv'") == [["Book 41", "2.00"]]
    superseded = shop.record("corrected.csv", first["source_version"])
    assert superseded is not None
    assert superseded["status"] == "superseded"
    assert second["source_version"] in superseded["reason"]


def test_a_real_client_uploads_a_large_file_in_parts(shop: Shop) -> None:
    rows = 200_000
    data = HEADER + "".join(book(number, f"Large {number % 7}") for number in range(rows))
    client: S3Client = boto3.client(
        "s3",
        endpoint_url=shop.cloud.endpoint,
        region_name=REGION,
        aws_access_key_id=ADMINISTRATOR.access_key,
        aws_secret_access_key=ADMINISTRATOR.secret_key,
    )
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    key = "bookstore_sales/large.csv"
    client.upload_fileobj(io.BytesIO(data.encode()), shop.cloud.exports["source_bucket"], key, Config=parts)
    version = client.head_object(Bucket=shop.cloud.exports["source_bucket"], Key=key)["VersionId"]
    record = shop.decision("large.csv", version)
    assert (record["status"], record["rows_in"], record["rows_out"]) == ("processed", rows, rows)
    assert shop.cloud.query("SELECT count(*), sum(price) FROM bookstore_sales WHERE genre LIKE 'Large%'")[1:] == [
        [str(rows), f"{rows * 10}.00"]
    ]


def test_the_ledger_is_a_table_too(shop: Shop) -> None:
    record = shop.upload("ledger.csv", HEADER + book(50, "Ledger"))
    answer = shop.cloud.query(
        "SELECT status, rows_in, rows_out, cardinality(outputs) FROM ledger "
        f"WHERE source_version = '{record['source_version']}'"
    )
    assert answer[1:] == [["processed", "1", "1", "1"]]


def test_nothing_is_left_behind(shop: Shop) -> None:
    shop.upload("last.csv", HEADER + book(60, "Last"))
    eventually(shop.at_rest, "all executions to end")
    time.sleep(0.5)
    assert shop.cloud.waiting(shop.cloud.exports["ingest_queue_url"]) == 0
    assert shop.cloud.waiting(shop.cloud.exports["dead_letter_queue_url"]) == 0
    for record in shop.records():
        assert record["rows_in"] == record["rows_out"] + record["rows_quarantined"]
