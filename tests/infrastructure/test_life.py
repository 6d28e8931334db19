"""A stack lives long: nothing that holds data is replaced by accident, and two stacks never meet."""

import json
import re
from collections.abc import Iterator
from typing import Any

from components.settings_reader import LONGEST_NAME
from tests.infrastructure.conftest import EVERYTHING, deployed
from tests.infrastructure.recording import ROOT, Recorded, Recording, record

NAMES_OF = {
    "aws:athena/namedQuery:NamedQuery": None,  # in a workgroup, which is named
    "aws:glue/catalogTable:CatalogTable": None,  # in a database, which is named
    "aws:cloudwatch/dashboard:Dashboard": "dashboardName",
    "aws:kms/alias:Alias": "name",
    "aws:redshiftserverless/namespace:Namespace": "namespaceName",
    "aws:redshiftserverless/workgroup:Workgroup": "workgroupName",
    "aws:s3/bucket:Bucket": "bucket",
}
"""The input that names a resource for its account or region, where it isn't `name`."""

LIMITS = {
    "aws:cloudwatch/eventRule:EventRule": 64,
    "aws:iam/role:Role": 64,
    "aws:lambda/function:Function": 64,
    "aws:redshiftserverless/namespace:Namespace": 64,
    "aws:redshiftserverless/workgroup:Workgroup": 64,
    "aws:s3/bucket:Bucket": 63,
    "aws:sfn/stateMachine:StateMachine": 80,
    "aws:sqs/queue:Queue": 80,
}
"""Letters of a name, by the services' API references; the CloudFormation schemas hold the others."""

LONGEST_REGION = "ap-southeast-1"


def _names(recording: Recording) -> Iterator[tuple[str, str]]:
    for resource in recording.resources:
        key = NAMES_OF.get(resource.type, "name")
        if key and key in resource.inputs:
            yield resource.type, resource.inputs[key]


def test_two_stacks_of_one_account_and_region_have_no_name_in_common(recordings: dict[str, Recording]) -> None:
    one, other = (set(_names(deployed(recordings, stack))) for stack in ("minimum", "everything"))
    assert one
    assert one & other == set()


def test_one_stack_s_log_bucket_and_topic_are_closed_to_the_other(recordings: dict[str, Recording]) -> None:
    """Their policies go by the beginning of a name."""
    names = ("retail-minimum", EVERYTHING["name"])
    for stack, foreign in zip(("minimum", "everything"), reversed(names), strict=True):
        policies = [
            resource.inputs["policy"]
            for type_ in ("aws:s3/bucketPolicy:BucketPolicy", "aws:sns/topicPolicy:TopicPolicy")
            for resource in deployed(recordings, stack).of_type(type_)
        ]
        assert not [policy for policy in policies if str(foreign) in policy]


def test_the_longest_name_fits_every_limit(everything: Recording) -> None:
    assert len(str(EVERYTHING["name"])) == LONGEST_NAME
    for type_, name in _names(everything):
        if type_ in LIMITS:
            longer = len(LONGEST_REGION) - len("eu-west-1") if type_ == "aws:s3/bucket:Bucket" else 0
            assert len(name) + longer <= LIMITS[type_], name


def test_what_holds_data_is_kept_and_all_else_can_go(everything: Recording) -> None:
    """A bucket's configuration is protected with it; only what holds data is left in place by a forced destroy."""
    protected = {resource.type.split("/")[0] for resource in everything.resources if resource.protect}
    assert protected == {"aws:s3", "aws:kms"}
    retained = {resource.type for resource in everything.resources if resource.retain_on_delete}
    assert retained == {"aws:s3/bucket:Bucket", "aws:kms/key:Key"}
    assert all(resource.protect for resource in everything.resources if resource.retain_on_delete)


def test_the_key_of_kept_data_is_kept_too(everything: Recording) -> None:
    """Without its key the data would be lost a month after the stack."""
    keys = {key.name.rpartition("-")[2]: key for key in everything.of_type("aws:kms/key:Key")}
    assert {name: key.protect for name, key in keys.items()} == {"data": True, "notices": False, "check": False}
    assert [name for name, key in keys.items() if key.retain_on_delete] == ["data"]


def test_the_key_of_data_is_never_deleted_by_a_change_of_settings() -> None:
    """Another `kmsKey` takes the made key out of the program while the buckets hold what it encrypts."""
    settings = json.dumps({"kmsKey": "create", "protectData": False})
    recording = record(ROOT / "__main__.py", "dev", {"aws:region": "eu-west-1", "retail-pipeline:settings": settings})
    assert not recording.error
    key = recording.one("aws:kms/key:Key", "-data")
    assert (key.protect, key.retain_on_delete) == (False, True)


REPLACING = {
    "aws:s3/bucket:Bucket": {"bucket"},
    "aws:sqs/queue:Queue": {"name"},
    "aws:sfn/stateMachine:StateMachine": {"name", "type"},
}
"""The inputs whose change replaces a resource; the provider's schema says so of these."""


def test_no_setting_replaces_a_bucket_the_queue_or_the_state_machine(everything: Recording) -> None:
    changed = {"batchWindowSeconds": 300, "glueWorkers": 3, "kmsKey": None, "redshift": False, "protectData": False}
    settings = {key: value for key, value in {**EVERYTHING, **changed}.items() if value is not None}
    config = {"aws:region": "eu-west-1", "retail-pipeline:settings": json.dumps(settings)}
    after = record(ROOT / "__main__.py", "everything", config)
    assert not after.error
    assert _lasting(after.resources) == _lasting(everything.resources)


def _lasting(resources: list[Recorded]) -> dict[str, dict[str, Any]]:
    return {
        resource.urn: {key: value for key, value in resource.inputs.items() if key in REPLACING[resource.type]}
        for resource in resources
        if resource.type in REPLACING
    }


def test_no_secret_is_in_what_the_state_keeps(deployment: Recording) -> None:
    """The one password there is stays with AWS: `manage_admin_password`, in Secrets Manager."""
    text = json.dumps([[each.inputs, each.outputs] for each in deployment.resources] + [deployment.exports])
    for word in ("adminUserPassword", "masterPassword", "secretAccessKey", "AKIA", "BEGIN PRIVATE KEY"):
        assert word not in text


def test_every_output_of_a_stack_is_documented(deployment: Recording, stack: str) -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").partition("\n## Outputs")[2]
    cells = re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)
    documented = {name for cell in cells for name in cell.split("`, `")}
    assert set(deployment.exports) <= documented
    assert all(deployment.exports.values())
    if stack == "everything":
        assert set(deployment.exports) == documented
