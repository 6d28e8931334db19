"""Whole programs, each deployed for real, side by side in one account and region."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from emulator.cloud import Cloud
from emulator.resources import EMULATED
from emulator.server import running_server
from tests.cloud.conftest import HEADER, Shop, book, eventually
from tests.cloud.destruction import ProtectedError, destroy, inventory
from tests.infrastructure.cloudformation import NOT_IN_CLOUDFORMATION
from tests.infrastructure.conftest import CONFIGS
from tests.infrastructure.elsewhere import IN_MOTO, NOWHERE
from tests.infrastructure.recording import ROOT, Recording, record

STACKS = ("minimum", "dev", "prod", "everything")
"""One without settings, those in the repository, and one with everything on."""

HERE = {"lambdaPlatform": "host"}
"""What the settings need on this machine; all else is as in the stacks' own."""


@pytest.fixture(scope="module")
def stacks() -> Iterator[dict[str, tuple[Shop, Recording]]]:
    """The four stacks, in an account of their own."""
    with running_server() as server:

        def deploy(stack: str) -> tuple[Shop, Recording]:
            recording = record(ROOT / "__main__.py", stack, _config(stack), endpoint=server.endpoint)
            assert not recording.error
            return Shop(Cloud(server, recording.exports)), recording

        with ThreadPoolExecutor(2) as threads:
            yield dict(zip(STACKS, threads.map(deploy, STACKS), strict=True))


def _config(stack: str) -> dict[str, str]:
    settings = json.loads(CONFIGS[stack].get("retail-pipeline:settings", "{}"))
    return {**CONFIGS[stack], "retail-pipeline:settings": json.dumps(settings | HERE)}


@pytest.fixture(scope="module")
def aws(stacks: dict[str, tuple[Shop, Recording]]) -> Callable[[str], Any]:
    """Clients with the administrator's rights."""
    return stacks["dev"][0].cloud.client


def test_every_resource_type_is_created_in_one_place(stacks: dict[str, tuple[Shop, Recording]]) -> None:
    used = {resource.type for _, recording in stacks.values() for resource in recording.resources if resource.custom}
    places = [*EMULATED, *IN_MOTO, *NOWHERE]
    assert len(places) == len(set(places))
    assert used <= set(places)
    assert {*IN_MOTO, *NOWHERE} <= used


def test_what_is_created_nowhere_is_held_against_two_models_of_it() -> None:
    """botocore's, by the request that is made of it, and CloudFormation's, which lacks two."""
    assert set(NOWHERE) & NOT_IN_CLOUDFORMATION == {
        "aws:lakeformation/optIn:OptIn",
        "aws:redshiftserverless/usageLimit:UsageLimit",
    }


def _has_empty_queue(shop: Shop) -> bool:
    return shop.cloud.waiting(shop.cloud.exports["ingest_queue_url"]) == 0


def test_a_file_dropped_in_one_stack_is_rows_of_that_stack_alone(stacks: dict[str, tuple[Shop, Recording]]) -> None:
    numbers = dict(zip(STACKS, range(1, 5), strict=True))
    versions = {
        stack: shop.put(f"{stack}.csv", HEADER + book(numbers[stack], "Fiction")) for stack, (shop, _) in stacks.items()
    }
    for stack, (shop, _) in stacks.items():
        assert shop.decision(f"{stack}.csv", versions[stack])["status"] == "processed"
    for shop, _ in stacks.values():
        eventually(shop.at_rest, "all executions to end")
        # Neither is a stranger's upload waiting, which the validator couldn't read.
        eventually(partial(_has_empty_queue, shop), "the last message to be dealt with")
    for stack, (shop, _) in stacks.items():
        assert shop.books("genre = 'Fiction'") == [[f"Book {numbers[stack]}", "10.00"]]
        assert [record["source_key"] for record in shop.records()] == [f"bookstore_sales/{stack}.csv"]
        assert shop.notice(f"{stack}.csv")["TopicArn"] == shop.cloud.exports["success_topic_arn"]
        assert [notice for notice in shop.notices if f"{stack}.csv" not in notice["Message"]] == []


def test_a_destroyed_stack_without_protected_data_leaves_nothing(
    stacks: dict[str, tuple[Shop, Recording]], aws: Callable[[str], Any]
) -> None:
    _, dev = stacks["dev"]
    before, others = inventory(aws, "retail-dev"), inventory(aws, "retail-minimum")
    assert {kind for kind, _ in before} == {kind for kind, _ in others}
    destroy(dev, aws)
    assert inventory(aws, "retail-dev") == set()
    assert inventory(aws, "retail-minimum") == others


def test_a_destroyed_stack_with_protected_data_leaves_its_buckets_and_their_key(
    stacks: dict[str, tuple[Shop, Recording]], aws: Callable[[str], Any]
) -> None:
    shop, prod = stacks["prod"]
    before = inventory(aws, "retail-prod")
    with pytest.raises(ProtectedError):
        destroy(prod, aws)
    assert inventory(aws, "retail-prod") == before
    destroy(prod, aws, exclude_protected=True)
    left = inventory(aws, "retail-prod")
    purposes = ("access-logs", "artefacts", "ledger", "processed", "quarantine", "source")
    assert left == {("key", "Encrypts the data of retail-prod")} | {
        ("bucket", f"retail-prod-{purpose}-000000000000-eu-west-1") for purpose in purposes
    }
    assert [record["status"] for record in shop.records()] == ["processed"]
    versioning = aws("s3").get_bucket_versioning(Bucket=shop.cloud.exports["processed_bucket"])
    assert versioning["Status"] == "Enabled"
    networks = {vpc["VpcId"] for vpc in aws("ec2").describe_vpcs()["Vpcs"]}
    assert [vpc.id in networks for vpc in prod.of_type("aws:ec2/vpc:Vpc")] == [False]
