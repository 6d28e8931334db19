"""Least privilege, the other way round: take one right away, and what needs it fails, naming the right."""

import json
from collections.abc import Iterator

import pytest

from emulator.cloud import Cloud
from tests.cloud.conftest import HEADER, Shop, book, eventually


@pytest.fixture(scope="module")
def guarded_shop() -> Iterator[Shop]:
    """A cloud of its own: what fails here would come back in the other tests."""
    with Cloud.start() as cloud:
        yield Shop(cloud)


class _Withdrawn:
    """A role's policy without the statement that allows an action on such a resource, for as long as it takes."""

    def __init__(self, shop: Shop, role: str, action: str, resource: str = "") -> None:
        self._iam = shop.cloud.client("iam")
        self._role = role
        [self._policy] = self._iam.list_role_policies(RoleName=role)["PolicyNames"]
        self._before = self._iam.get_role_policy(RoleName=role, PolicyName=self._policy)["PolicyDocument"]
        found = [
            statement
            for statement in self._before["Statement"]
            if action in statement["Action"] and any(resource in each for each in statement["Resource"])
        ]
        assert len(found) == 1, f"{role} has no single statement for {action} on {resource}"
        kept = [statement for statement in self._before["Statement"] if statement not in found]
        self._without = {**self._before, "Statement": kept}

    def __enter__(self) -> None:
        self._put(self._without)

    def __exit__(self, *_: object) -> None:
        self._put(self._before)

    def _put(self, document: object) -> None:
        self._iam.put_role_policy(RoleName=self._role, PolicyName=self._policy, PolicyDocument=json.dumps(document))


EXECUTION = [
    ("transform", "s3:GetObjectVersion", "-source-"),
    ("transform", "s3:DeleteObject", "-processed-"),
    ("transform", "s3:PutObject", "-ledger-"),
    ("transform", "s3:ListBucket", "-ledger-"),
    ("transform", "s3:GetObject", "-artefacts-"),
    ("transform", "glue:BatchCreatePartition", "catalog"),
    ("transform", "logs:PutLogEvents", "log-group"),
    ("ingest", "glue:StartJobRun", "job"),
    ("ingest", "s3:GetObject", "-ledger-"),
    ("ingest", "sns:Publish", ""),
]
"""Every statement of both roles, but for those of `NOT_ENFORCED`."""

NOT_ENFORCED = {"kms:Decrypt", "logs:CreateLogDelivery"}
"""This AWS takes any key for allowed and delivers no logs of executions: `test_policies` holds who has these rights."""


def test_every_statement_is_withdrawn_or_said_to_be_out_of_reach(guarded_shop: Shop) -> None:
    iam = guarded_shop.cloud.client("iam")
    for role in ("transform", "ingest"):
        name = f"retail-local-{role}"
        [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
        statements = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]["Statement"]
        enforced = [each for each in statements if NOT_ENFORCED.isdisjoint(each["Action"])]
        assert len(enforced) == len([case for case in EXECUTION if case[0] == role])


@pytest.mark.parametrize(("role", "action", "resource"), EXECUTION)
def test_without_a_right_the_execution_fails(guarded_shop: Shop, role: str, action: str, resource: str) -> None:
    shop = guarded_shop
    before = {execution["executionArn"] for execution in shop.cloud.executions()}
    role_name = f"retail-local-{role}"
    with _Withdrawn(shop, role_name, action, resource):
        name = f"{role}-{action}{resource}.csv".replace(":", "-")
        shop.put(name, HEADER + book(1, "Rights"))

        def ended() -> dict[str, str] | None:
            for execution in shop.cloud.executions():
                if execution["executionArn"] not in before and execution["status"] != "RUNNING":
                    return dict(
                        shop.cloud.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
                    )
            return None

        execution = eventually(ended, "the end of the execution")
    assert execution["status"] == "FAILED"
    assert "not authorized" in execution["cause"] or "AccessDenied" in execution["cause"]
    if action != "sns:Publish":
        notice = shop.notice(f"The job failed on uploads of bookstore_sales: bookstore_sales/{name}")
        assert "upload them again" in notice["Message"]


def test_without_its_right_the_validator_starts_nothing_and_keeps_the_message(guarded_shop: Shop) -> None:
    shop = guarded_shop
    before = len(shop.cloud.executions())
    with _Withdrawn(shop, "retail-local-validator", "states:StartExecution"):
        version = shop.put("not-started.csv", HEADER + book(1, "Rights"))
        eventually(lambda: "AccessDenied" in shop.validator_log(), "the validator's complaint")
    assert len(shop.cloud.executions()) == before
    assert shop.record("not-started.csv", version) is None
    assert shop.cloud.waiting(shop.cloud.exports["ingest_queue_url"]) == 1


def test_with_all_rights_it_works(guarded_shop: Shop) -> None:
    assert guarded_shop.upload("allowed.csv", HEADER + book(1, "Rights"))["status"] == "processed"
