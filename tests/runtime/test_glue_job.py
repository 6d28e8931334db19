"""The Glue job, from its arguments to the files, partitions and records that it leaves."""

from dataclasses import dataclass, replace
from typing import Any

import boto3
import orjson
import pytest

from runtime import glue_job
from runtime.contract_file import dump_contracts
from runtime.ledger import ObjectVersion
from tests.runtime.lakes import OpenLake, bucket_lake
from tests.runtime.sales import SALES, as_csv, as_json, as_ndjson, contract
from tests.runtime.uploads import Uploads


@dataclass
class Job:
    """The job as it is deployed, with a lake to write to."""

    uploads: Uploads
    lake: OpenLake

    def run(self, *objects: ObjectVersion, name: str = "sales-1", **arguments: str) -> None:
        given = {
            "JOB_NAME": "transform",
            "run": name,
            "dataset": "sales",
            "objects": orjson.dumps([found.to_json() for found in objects]).decode(),
            "contracts": "s3://artefacts/contracts/1.json",
            "processed_bucket": "shop-processed",
            "quarantine_bucket": "shop-quarantine",
            "ledger_bucket": "shop-ledger",
            "database": "shop_shop",
            "additional-python-modules": "s3://artefacts/x.whl",
        } | arguments
        glue_job.main([word for key, value in given.items() for word in (f"--{key}", value)])

    def summary(self, run: str = "sales-1") -> dict[str, Any] | None:
        data = self.lake.ledger.get(f"runs/{run}.json")
        return None if data is None else dict(orjson.loads(data))

    def partitions(self) -> set[str]:
        found = boto3.client("glue").get_partitions(DatabaseName="shop_shop", TableName="sales")["Partitions"]
        return {partition["Values"][0] for partition in found}


@pytest.fixture
def job(aws: None) -> Job:
    lake = bucket_lake("shop")
    client = boto3.client("s3")
    client.create_bucket(Bucket="artefacts")
    client.put_object(Bucket="artefacts", Key="contracts/1.json", Body=dump_contracts([contract()]))
    return Job(Uploads(), lake)


def test_files_of_several_formats_are_taken_and_their_partitions_registered(job: Job) -> None:
    job.run(
        job.uploads.put("sales/monday.csv", as_csv(SALES)),
        job.uploads.put("sales/tuesday.json", as_json(SALES[:1])),
        job.uploads.put("sales/wednesday.ndjson", as_ndjson([{**SALES[1], "price": "dear"}, SALES[2]])),
    )
    assert len(job.lake.rows()) == 5
    assert job.partitions() == {"Cookery", "Fiction"}
    summary = job.summary()
    assert summary is not None
    assert {name: summary[name] for name in ("run", "outcome", "files", "rows_in", "rows_out", "rows_quarantined")} == {
        "run": "sales-1",
        "outcome": "partial",
        "files": 3,
        "rows_in": 6,
        "rows_out": 5,
        "rows_quarantined": 1,
    }
    assert "sales-1" in summary["message"]
    assert summary["subject"] == "Sales files: 3 files taken with 5 rows, 1 row in quarantine"


def test_a_truncated_file_is_refused_and_the_others_are_taken(job: Job) -> None:
    job.run(
        job.uploads.put("sales/monday.json", as_json(SALES)[:-20] + b"]"),
        job.uploads.put("sales/tuesday.csv", as_csv(SALES)),
    )
    assert {row["_source_key"] for row in job.lake.rows()} == {"sales/tuesday.csv"}
    assert {record["source_key"]: record["status"] for record in job.lake.records()} == {
        "sales/monday.json": "refused",
        "sales/tuesday.csv": "processed",
    }
    summary = job.summary()
    assert summary is not None
    assert summary["outcome"] == "partial"
    assert "sales/monday.json: REFUSED" in summary["message"]


def test_a_run_of_refused_files_only_is_a_failure_that_is_summed_up(job: Job) -> None:
    job.run(job.uploads.put("sales/monday.json", b'[{"sku": 1'))
    summary = job.summary()
    assert summary is not None
    assert (summary["outcome"], summary["rows_in"]) == ("failure", 0)


def test_a_run_repeated_leaves_all_as_it_was(job: Job) -> None:
    uploads = [job.uploads.put("sales/monday.csv", as_csv(SALES)), job.uploads.put("sales/tuesday.csv", as_csv(SALES))]
    job.run(*uploads)
    before, summary = job.lake.content(), job.summary()
    job.run(*uploads)
    assert (job.lake.content(), job.summary()) == (before, summary)


def test_a_newer_version_in_the_same_run_replaces_the_older_in_whatever_order_they_come(job: Job) -> None:
    older, newer = (job.uploads.put("sales/monday.csv", as_csv(SALES[:rows])) for rows in (3, 1))
    job.run(newer, older)
    assert [(row["sku"], row["_source_version"]) for row in job.lake.rows()] == [("0001", newer.version)]


def test_the_very_version_is_read_though_a_newer_one_is_there(job: Job) -> None:
    first = job.uploads.put("sales/monday.csv", as_csv(SALES))
    job.uploads.put("sales/monday.csv", as_csv(SALES[:1]))
    job.run(first)
    assert len(job.lake.rows()) == 3


def test_a_file_of_several_megabytes_is_read_range_by_range(job: Job) -> None:
    rows = [{**SALES[0], "sku": f"{number:06}", "title": "x" * 200} for number in range(40_000)]
    upload = job.uploads.put("sales/monday.csv", as_csv(rows))
    assert upload.size > 8 * 1024 * 1024
    job.run(upload)
    assert job.lake.skus() == [row["sku"] for row in rows]


def test_what_is_no_fault_of_a_file_is_raised_when_the_others_are_done(job: Job) -> None:
    good = [job.uploads.put(f"sales/{day}.csv", as_csv(SALES)) for day in ("monday", "tuesday")]
    gone = replace(good[0], key="sales/gone.csv")
    with pytest.raises(ExceptionGroup) as failure:
        job.run(good[0], gone, good[1])
    assert "1 of 3 files" in str(failure.value)
    [error] = failure.value.exceptions
    assert error.__notes__ == [f"while transforming s3://uploads/sales/gone.csv version {gone.version}"]
    assert {row["_source_key"] for row in job.lake.rows()} == {"sales/monday.csv", "sales/tuesday.csv"}


def test_an_object_that_is_shorter_than_its_event_said_is_no_fault_of_the_file(job: Job) -> None:
    upload = job.uploads.put("sales/monday.csv", as_csv(SALES))
    with pytest.raises(ExceptionGroup, match="could not be transformed"):
        job.run(replace(upload, size=upload.size + 10))
    assert job.lake.records() == []


def test_a_contract_that_was_not_deployed_is_asked_for(job: Job) -> None:
    with pytest.raises(LookupError, match=r"s3://artefacts/contracts/1\.json holds no contract of 'returns'"):
        job.run(dataset="returns")


def test_a_missing_argument_ends_the_run(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        glue_job.main(["--run", "x"])
    assert "--dataset" in capsys.readouterr().err
