"""Small resources for the emulator's tests, with names that no other test has."""

import io
import itertools
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from emulator.clients import ACCOUNT, REGION
from emulator.server import Server

Statement = dict[str, Any]
T = TypeVar("T")
_numbers = itertools.count()


def allow(actions: str | list[str], resources: str | list[str] = "*") -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


LOG_WRITING = allow(
    ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws-glue/*",
)


def eventually(read: Callable[[], T], seconds: float = 20) -> T:
    """The first true answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = read()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(0.1)


def parquet(**columns: list[Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def archive(files: dict[str, str]) -> bytes:
    """A zip file with the texts by their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name, text)
    return buffer.getvalue()


class Toys:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = server.client

    def name(self, kind: str) -> str:
        return f"{kind}-{next(_numbers)}-{uuid.uuid4().hex[:8]}"

    def role(self, service: str, *statements: Statement) -> str:
        """The ARN of a role that the service may assume, with the rights stated."""
        name = self.name("role")
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        role = self.client("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )["Role"]
        if statements:
            self.allow(role["Arn"], *statements)
        return str(role["Arn"])

    def allow(self, role: str, *statements: Statement) -> None:
        """Replaces the role's rights."""
        self.client("iam").put_role_policy(
            RoleName=role.rpartition("/")[2],
            PolicyName="rights",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}),
        )

    def bucket(self, versioned: bool = False, events: bool = False) -> str:
        s3, name = self.client("s3"), self.name("bucket")
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        if events:
            s3.put_bucket_notification_configuration(
                Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )
        return name

    def put(self, bucket: str, key: str, body: bytes | str) -> str:
        """Returns the object's URI."""
        content = body.encode() if isinstance(body, str) else body
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return f"s3://{bucket}/{key}"

    def queue_of_events(self, pattern: dict[str, Any]) -> str:
        """The URL of a queue that gets the matching events."""
        url, arn = self.queue()
        name = self.name("rule")
        self.client("events").put_rule(Name=name, EventPattern=json.dumps(pattern))
        self.client("events").put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def queue(self) -> tuple[str, str]:
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=self.name("queue"))["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        anyone = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [anyone]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return url, attributes["QueueArn"]

    def topic_queue(self) -> tuple[str, str]:
        """A topic's ARN and the URL of a queue that gets its notices."""
        url, arn = self.queue()
        topic = self.client("sns").create_topic(Name=self.name("topic"))["TopicArn"]
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return topic, url

    def messages(self, url: str, at_least: int = 1, seconds: float = 20) -> list[dict[str, Any]]:
        """Bodies of the messages that came, once there are enough of them."""
        found: list[dict[str, Any]] = []

        def receive() -> bool:
            answer = self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            found.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
            return len(found) >= at_least

        eventually(receive, seconds)
        return found

    def job(self, script: str, role: str, **settings: Any) -> str:
        bucket, name = self.bucket(), self.name("job")
        command = {"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": self.put(bucket, "job.py", script)}
        self.client("glue").create_job(Name=name, Role=role, Command=command, **settings)
        return name

    def run_state(self, job: str, run: str) -> dict[str, Any]:
        answer = self.client("glue").get_job_run(JobName=job, RunId=run)["JobRun"]
        return dict(answer)

    def finished_run(self, job: str, **request: Any) -> dict[str, Any]:
        run = self.client("glue").start_job_run(JobName=job, **request)["JobRunId"]
        ended = {"SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR"}
        eventually(lambda: self.run_state(job, run)["JobRunState"] in ended)
        return self.run_state(job, run)

    def log(self, group: str, stream: str) -> list[str]:
        events = self.client("logs").get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)[
            "events"
        ]
        return [event["message"] for event in events]

    def machine(self, role: str, states: dict[str, Any], start: str) -> str:
        definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": start, "States": states})
        return str(
            self.client("stepfunctions").create_state_machine(
                name=self.name("machine"), roleArn=role, definition=definition
            )["stateMachineArn"]
        )

    def execution(self, machine: str, **input_: Any) -> dict[str, Any]:
        """The execution once it has ended."""
        states = self.client("stepfunctions")
        arn = states.start_execution(stateMachineArn=machine, input=json.dumps(input_))["executionArn"]
        eventually(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING")
        return dict(states.describe_execution(executionArn=arn))

    def table(
        self, bucket: str, columns: dict[str, str], partitions: Iterable[str] = (), serde: str = "parquet"
    ) -> tuple[str, str]:
        """Database and name of a table over the whole of a bucket's `data/`."""
        glue, database, name = self.client("glue"), self.name("db"), self.name("table").replace("-", "_")
        library = {
            "parquet": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            "json": "org.openx.data.jsonserde.JsonSerDe",
        }[serde]
        glue.create_database(DatabaseInput={"Name": database})
        glue.create_table(
            DatabaseName=database,
            TableInput={
                "Name": name,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"classification": serde},
                "PartitionKeys": [{"Name": key, "Type": "string"} for key in partitions],
                "StorageDescriptor": {
                    "Columns": [{"Name": key, "Type": type_} for key, type_ in columns.items()],
                    "Location": f"s3://{bucket}/data/",
                    "SerdeInfo": {"SerializationLibrary": library},
                },
            },
        )
        return database, name

    def add_partition(self, database: str, table: str, location: str, *values: str) -> None:
        glue = self.client("glue")
        descriptor = glue.get_table(DatabaseName=database, Name=table)["Table"]["StorageDescriptor"]
        glue.create_partition(
            DatabaseName=database,
            TableName=table,
            PartitionInput={"Values": list(values), "StorageDescriptor": {**descriptor, "Location": location}},
        )
