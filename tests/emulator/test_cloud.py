"""A Pulumi project is deployed as it stands; what goes wrong is told; `python -m emulator.cloud` waits."""

import itertools
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

from emulator.clients import client
from emulator.cloud import Cloud, DeploymentError
from emulator.deploy import ROOT

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

name = pulumi.Config().require("name")
account = aws.get_caller_identity().account_id
bucket = aws.s3.Bucket("sales", bucket=f"{name}-{account}")
topic = aws.sns.Topic("news", name=name)
queue = aws.sqs.Queue("uploads", name=name)
pulumi.export("source_bucket", bucket.bucket)
pulumi.export("topic", topic.arn)
pulumi.export("queue", queue.url)
"""


def project(folder: Path, program: str) -> Path:
    (folder / "Pulumi.yaml").write_text("name: toy\nruntime: python\n")
    (folder / "Pulumi.local.yaml").write_text("config:\n  toy:name: toy\n  aws:region: eu-west-1\n")
    (folder / "__main__.py").write_text(program)
    return folder


def test_a_program_is_deployed_with_its_local_configuration(tmp_path: Path) -> None:
    with Cloud.start(project(tmp_path, PROGRAM)) as cloud:
        assert cloud.exports["source_bucket"] == "toy-000000000000"
        buckets = cloud.client("s3").list_buckets()["Buckets"]
        assert [bucket["Name"] for bucket in buckets] == ["toy-000000000000"]
        assert cloud.waiting(cloud.exports["queue"]) == 0

        follower = cloud.follow(cloud.exports["topic"])
        cloud.client("sns").publish(TopicArn=cloud.exports["topic"], Subject="Hello", Message="3 rows")
        [notice] = follower.notices(wait_seconds=10)
        assert (notice["Subject"], notice["Message"]) == ("Hello", "3 rows")
        assert follower.notices() == []


def test_a_deployment_that_fails_says_why(tmp_path: Path) -> None:
    cloud = Cloud.start(project(tmp_path, PROGRAM + "aws.sqs.Queue('q', name='q', fifo_queue=True)"))
    with pytest.raises(DeploymentError, match=r"__main__\.py failed") as failure, cloud:
        pass
    assert "aws:sqs/queue:Queue q: property fifoQueue isn't emulated" in str(failure.value)


def test_our_program_stays_up_until_ctrl_c() -> None:
    command = [sys.executable, "-m", "emulator.cloud"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        guide = list(itertools.takewhile(lambda line: not line.startswith("Ctrl-C"), process.stdout))
        [copy] = [line.strip() for line in guide if "aws s3 cp" in line]
        settings = dict(line.strip().removeprefix("export ").split("=", 1) for line in guide if "export " in line)
        target = copy.rpartition("s3://")[2].partition("/")[0]
        buckets = client("s3", settings["AWS_ENDPOINT_URL"]).list_buckets()["Buckets"]
        assert target in {bucket["Name"] for bucket in buckets}
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    with pytest.raises(EndpointConnectionError):
        client("s3", settings["AWS_ENDPOINT_URL"]).list_buckets()
