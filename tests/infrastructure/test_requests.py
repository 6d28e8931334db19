"""What is asked of AWS is held against AWS's own models of its requests, even where nothing is sent."""

from pathlib import Path

import pytest

from tests.infrastructure.recording import record

NOBODY = "http://127.0.0.1:9"
"""An endpoint where no AWS is: a wrong request is refused before it is sent."""

LIMIT = "aws.redshiftserverless.UsageLimit('limit', resource_arn='arn', usage_type='serverless-compute', {})"

JOB = "aws.glue.Job('job', name='job', role_arn='role', {})"
TABLE = "{{'database_name': 'shop', 'name': 'sales'}}"
GRANT = f"aws.lakeformation.Permissions('grant', principal='analyst', table={TABLE}, permissions=[{{}}])"


def _error(folder: Path, resource: str) -> str:
    program = folder / "__main__.py"
    program.write_text(f"import pulumi_aws as aws\n{resource}\n", encoding="utf-8")
    return record(program, "test", {}, endpoint=NOBODY).error


def test_a_request_that_keeps_its_model_is_fine(tmp_path: Path) -> None:
    assert _error(tmp_path, LIMIT.format("amount=100, period='monthly'")) == ""


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ("aws.sqs.Queue('post', nmae='post')", "unexpected keyword argument 'nmae'"),
        (JOB.format("command={'nmae': 'c'}"), 'Unknown parameter in Command: "Nmae"'),
        ("aws.redshiftserverless.Namespace('n', namespace_name='shop', kms_key_id='key')", "property kmsKeyId isn't"),
        (LIMIT.format("amount='much'"), "Invalid type for parameter amount"),
        (LIMIT.format("amount=100, period='yearly'"), "'yearly' isn't one of daily, monthly, weekly"),
        (GRANT.format("'SELEKT'"), "'SELEKT' isn't one of"),
    ],
    ids=["name", "name within", "property without a place", "shape", "word", "word in moto"],
)
def test_a_fault_in_a_request_is_found(tmp_path: Path, resource: str, message: str) -> None:
    assert message in _error(tmp_path, resource)
