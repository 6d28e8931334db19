"""Glue jobs run for real: arguments, modules, rights, logs, time and turn as Glue gives them."""

import json
import time

import pytest

from tests.emulator.toys import LOG_WRITING, Toys, allow, archive, eventually

GLUE = "glue.amazonaws.com"
WHEEL = {
    "shop/__init__.py": "def open(): return 'open'",
    "shop-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n",
    "shop-1.0.dist-info/entry_points.txt": "[shop.plugins]\ndoor = shop:open\n",
}


@pytest.fixture
def role(toys: Toys) -> str:
    return toys.role(GLUE, allow("s3:GetObject"), LOG_WRITING)


def printed(toys: Toys, run: dict[str, object]) -> list[str]:
    assert run["JobRunState"] == "SUCCEEDED", run
    return toys.log("/aws-glue/jobs/output", str(run["Id"]))


def test_the_script_gets_default_and_run_arguments(toys: Toys, role: str) -> None:
    script = "import json, sys; print(json.dumps(dict(zip(sys.argv[1::2], sys.argv[2::2]))))"
    job = toys.job(script, role, DefaultArguments={"--bucket": "default", "--database": "sales"})
    run = toys.finished_run(job, Arguments={"--bucket": "given"})
    arguments = json.loads(printed(toys, run)[0])
    assert arguments["--bucket"] == "given"
    assert arguments["--database"] == "sales"
    assert arguments["--JOB_NAME"] == job
    assert arguments["--JOB_RUN_ID"] == run["Id"]


def test_wheels_come_as_installed_with_their_entry_points(toys: Toys, role: str) -> None:
    wheel = toys.put(toys.bucket(), "shop-1.0-py3-none-any.whl", archive(WHEEL))
    script = (
        "from importlib.metadata import entry_points\n"
        "[point] = entry_points(group='shop.plugins')\n"
        "print(point.load()())"
    )
    job = toys.job(script, role, DefaultArguments={"--additional-python-modules": wheel})
    assert printed(toys, toys.finished_run(job)) == ["open"]


def test_extra_files_are_importable(toys: Toys, role: str) -> None:
    bucket = toys.bucket()
    extra = [
        toys.put(bucket, "extra.zip", archive({"zipped.py": "word = 'zip'"})),
        toys.put(bucket, "single.py", "word = 'file'"),
    ]
    script = "import single, zipped; print(zipped.word, single.word)"
    job = toys.job(script, role, DefaultArguments={"--extra-py-files": ",".join(extra)})
    assert printed(toys, toys.finished_run(job)) == ["zip file"]


def test_it_has_glues_packages_and_not_this_checkout(toys: Toys, role: str) -> None:
    script = (
        "import boto3, orjson, pluggy, pyarrow\n"
        "from importlib.util import find_spec\n"
        "print([name for name in ('runtime', 'emulator', 'ministack', 'pulumi', 'duckdb') if find_spec(name)])"
    )
    assert printed(toys, toys.finished_run(toys.job(script, role))) == ["[]"]


def test_modules_are_fetched_with_the_roles_rights(toys: Toys) -> None:
    bucket = toys.bucket()
    wheel = toys.put(bucket, "shop-1.0-py3-none-any.whl", archive(WHEEL))
    role = toys.role(GLUE, LOG_WRITING)
    job = toys.job("print('never')", role, DefaultArguments={"--additional-python-modules": wheel})
    script = toys.client("glue").get_job(JobName=job)["Job"]["Command"]["ScriptLocation"]
    toys.allow(role, LOG_WRITING, allow("s3:GetObject", f"arn:aws:s3:::{script.removeprefix('s3://')}"))
    run = toys.finished_run(job)
    assert run["JobRunState"] == "FAILED"
    assert wheel in run["ErrorMessage"]
    assert "s3:GetObject" in run["ErrorMessage"]


def test_the_script_has_the_roles_rights_only(toys: Toys) -> None:
    bucket = toys.bucket()
    script = f"import boto3; boto3.client('s3').put_object(Bucket='{bucket}', Key='a', Body=b'1')"
    role = toys.role(GLUE, allow("s3:GetObject"), LOG_WRITING)
    job = toys.job(script, role)
    refused = toys.finished_run(job)
    assert "AccessDenied" in refused["ErrorMessage"]
    toys.allow(role, allow("s3:GetObject"), LOG_WRITING, allow("s3:PutObject", f"arn:aws:s3:::{bucket}/*"))
    assert toys.finished_run(job)["JobRunState"] == "SUCCEEDED"


@pytest.mark.parametrize("missing", ["catalog", "database", "table"])
def test_partitions_need_rights_on_catalogue_database_and_table(toys: Toys, missing: str) -> None:
    database, table = toys.table(toys.bucket(), {"a": "bigint"}, ["day"])
    arn = "arn:aws:glue:eu-west-1:000000000000:"
    resources = {
        "catalog": f"{arn}catalog",
        "database": f"{arn}database/{database}",
        "table": f"{arn}table/{database}/{table}",
    }
    script = (
        "import boto3, sys\n"
        f"boto3.client('glue').batch_create_partition(DatabaseName='{database}', TableName='{table}',\n"
        "    PartitionInputList=[{'Values': [sys.argv[-1]]}])"
    )
    role = toys.role(GLUE)
    job = toys.job(script, role)
    base = [allow("s3:GetObject"), LOG_WRITING]
    toys.allow(role, *base, allow("glue:BatchCreatePartition", list(resources.values())))
    assert toys.finished_run(job, Arguments={"--day": "1"})["JobRunState"] == "SUCCEEDED"
    granted = [resource for kind, resource in resources.items() if kind != missing]
    toys.allow(role, *base, allow("glue:BatchCreatePartition", granted))
    assert "AccessDenied" in toys.finished_run(job, Arguments={"--day": "2"})["ErrorMessage"]


def test_a_failure_is_told_by_its_last_line_and_logged_whole(toys: Toys, role: str) -> None:
    run = toys.finished_run(toys.job("def f():\n    raise KeyError('price')\nf()", role))
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == "KeyError: 'price'"
    assert "Traceback (most recent call last):" in toys.log("/aws-glue/jobs/error", run["Id"])


def test_a_failure_of_several_is_told_by_the_line_that_names_them(toys: Toys, role: str) -> None:
    run = toys.finished_run(toys.job("raise ExceptionGroup('2 files failed', [ValueError('a')])", role))
    assert run["ErrorMessage"] == "ExceptionGroup: 2 files failed (1 sub-exception)"


def test_a_job_may_name_its_log_groups(toys: Toys, role: str) -> None:
    prefix = "/aws-glue/jobs/of-a-shop"
    run = toys.finished_run(toys.job("print('hello')", role), Arguments={"--custom-logGroup-prefix": prefix})
    assert toys.log(f"{prefix}/output", run["Id"]) == ["hello"]


def test_without_the_right_to_log_it_fails(toys: Toys) -> None:
    run = toys.finished_run(toys.job("print('hello')", toys.role(GLUE, allow("s3:GetObject"))))
    assert run["JobRunState"] == "FAILED"
    assert "logs:CreateLogStream" in run["ErrorMessage"]


def test_the_end_of_a_run_is_an_event(toys: Toys, role: str) -> None:
    queue = toys.queue_of_events({"source": ["aws.glue"], "detail": {"state": ["FAILED"]}})
    job = toys.job("raise SystemExit(3)", role)
    toys.finished_run(job)
    events = toys.messages(queue)
    assert [event["detail"]["state"] for event in events if event["detail"]["jobName"] == job] == ["FAILED"]


def test_more_runs_than_allowed_are_refused(toys: Toys, role: str) -> None:
    job = toys.job("import time; time.sleep(5)", role, ExecutionProperty={"MaxConcurrentRuns": 1})
    glue = toys.client("glue")
    run = glue.start_job_run(JobName=job)["JobRunId"]
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName=job)
    glue.batch_stop_job_run(JobName=job, JobRunIds=[run])


def test_more_runs_than_allowed_wait_where_queuing_is_on(toys: Toys, role: str) -> None:
    job = toys.job("import time; time.sleep(1)", role, JobRunQueuingEnabled=True)
    glue = toys.client("glue")
    first, second = (glue.start_job_run(JobName=job)["JobRunId"] for _ in range(2))
    assert eventually(lambda: toys.run_state(job, second)["JobRunState"] == "WAITING", 5)
    assert toys.run_state(job, first)["JobRunState"] in ("STARTING", "RUNNING")
    assert eventually(lambda: toys.run_state(job, second)["JobRunState"] == "SUCCEEDED")


def test_a_stopped_run_ends_at_once(toys: Toys, role: str) -> None:
    job = toys.job("import time; time.sleep(60)", role)
    run = toys.client("glue").start_job_run(JobName=job)["JobRunId"]
    eventually(lambda: toys.run_state(job, run)["JobRunState"] == "RUNNING")
    began = time.monotonic()
    toys.client("glue").batch_stop_job_run(JobName=job, JobRunIds=[run])
    assert eventually(lambda: "CompletedOn" in toys.run_state(job, run), 10)
    assert toys.run_state(job, run)["JobRunState"] == "STOPPED"
    assert time.monotonic() - began < 10


def test_modules_from_an_index_are_refused(toys: Toys, role: str) -> None:
    job = toys.job("pass", role, DefaultArguments={"--additional-python-modules": "requests==2.0"})
    assert "requests==2.0 isn't emulated" in toys.finished_run(job)["ErrorMessage"]
