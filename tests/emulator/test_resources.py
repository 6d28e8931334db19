"""The provider creates what the program asks, or says by name what it can't."""

import json
from typing import Any

import pulumi
import pytest

from emulator.resources import AwsProvider, ResourceError
from tests.emulator.toys import Toys


@pytest.fixture
def provider(toys: Toys) -> AwsProvider:
    return AwsProvider(toys.server.endpoint)


def test_an_unknown_type_is_named(provider: AwsProvider) -> None:
    with pytest.raises(ResourceError, match="aws:ec2/natGateway:NatGateway net: resource type isn't emulated"):
        provider.create("aws:ec2/natGateway:NatGateway", "net", {})


def test_a_property_that_would_be_dropped_is_named(provider: AwsProvider, toys: Toys) -> None:
    inputs = {"bucket": toys.name("bucket"), "website": {"indexDocument": "index.html"}}
    with pytest.raises(ResourceError, match="aws:s3/bucket:Bucket shop: property website isn't emulated"):
        provider.create("aws:s3/bucket:Bucket", "shop", inputs)


def test_a_property_inside_a_property_is_named(provider: AwsProvider, toys: Toys) -> None:
    inputs = {"bucket": toys.bucket(), "versioningConfiguration": {"status": "Enabled", "colour": "red"}}
    with pytest.raises(ResourceError, match="Colour"):
        provider.create("aws:s3/bucketVersioning:BucketVersioning", "v", inputs)


def test_a_missing_property_is_named(provider: AwsProvider) -> None:
    with pytest.raises(ResourceError, match="aws:s3/bucket:Bucket shop: required property bucket is missing"):
        provider.create("aws:s3/bucket:Bucket", "shop", {})


def test_a_word_that_aws_does_not_know_is_refused(provider: AwsProvider, toys: Toys) -> None:
    inputs = {"bucket": toys.bucket(), "rule": {"objectOwnership": "Mine"}}
    with pytest.raises(ResourceError, match="'Mine' isn't one of BucketOwnerEnforced"):
        provider.create("aws:s3/bucketOwnershipControls:BucketOwnershipControls", "o", inputs)


def test_what_aws_refuses_is_told_with_the_resource(provider: AwsProvider) -> None:
    with pytest.raises(ResourceError, match=r"aws:s3/bucket:Bucket shop: .*InvalidBucketName"):
        provider.create("aws:s3/bucket:Bucket", "shop", {"bucket": "No_Bucket"})


def test_another_region_is_refused(provider: AwsProvider) -> None:
    with pytest.raises(ResourceError, match="us-east-1 isn't emulated"):
        provider.create("aws:s3/bucket:Bucket", "shop", {"bucket": "shop", "region": "us-east-1"})


def test_an_unknown_function_is_named(provider: AwsProvider) -> None:
    with pytest.raises(ResourceError, match="aws:ec2/getAmi:getAmi: function isn't emulated"):
        provider.invoke("aws:ec2/getAmi:getAmi", {})


def test_functions_answer_with_account_and_region(provider: AwsProvider) -> None:
    identity = provider.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
    assert identity["accountId"] == "000000000000"
    assert provider.invoke("aws:index/getRegion:getRegion", {})["region"] == "eu-west-1"


def create(provider: AwsProvider, type_: str, **inputs: Any) -> tuple[str, dict[str, Any]]:
    return provider.create(type_, "toy", inputs)


def test_buckets_get_every_setting(provider: AwsProvider, toys: Toys) -> None:
    name, s3 = toys.name("bucket"), toys.client("s3")
    id_, outputs = create(provider, "aws:s3/bucket:Bucket", bucket=name, forceDestroy=True, tags={"a": "b"})
    assert (id_, outputs["arn"]) == (name, f"arn:aws:s3:::{name}")
    kind = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    default = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "key"}
    create(provider, kind, bucket=name, rules=[{"applyServerSideEncryptionByDefault": default}])
    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    wanted = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key"}
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == wanted
    create(
        provider,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        bucket=name,
        rules=[
            {
                "id": "old",
                "status": "Enabled",
                "filter": {},
                "noncurrentVersionExpiration": {"noncurrentDays": 30},
                "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
            }
        ],
    )
    [rule] = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30


def test_objects_are_uploaded_from_files_texts_and_folders(
    provider: AwsProvider, toys: Toys, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, bucket = tmp_path_factory.mktemp("asset"), toys.bucket(versioned=True)
    (folder / "a.txt").write_text("from a file")
    kind = "aws:s3/bucketObjectv2:BucketObjectv2"
    _, outputs = create(provider, kind, bucket=bucket, key="f", source=pulumi.FileAsset(str(folder / "a.txt")))
    create(provider, kind, bucket=bucket, key="t", content="a text")
    create(provider, kind, bucket=bucket, key="z", source=pulumi.FileArchive(str(folder)))
    s3 = toys.client("s3")
    assert s3.get_object(Bucket=bucket, Key="f", VersionId=outputs["versionId"])["Body"].read() == b"from a file"
    assert s3.get_object(Bucket=bucket, Key="t")["Body"].read() == b"a text"
    assert s3.get_object(Bucket=bucket, Key="z")["Body"].read().startswith(b"PK")
    with pytest.raises(ResourceError, match="RemoteAsset isn't emulated"):
        create(provider, kind, bucket=bucket, key="r", source=pulumi.RemoteAsset("https://example.com/a"))


def test_queues_take_numbers_and_truth(provider: AwsProvider, toys: Toys) -> None:
    url, outputs = create(
        provider,
        "aws:sqs/queue:Queue",
        name=toys.name("queue"),
        visibilityTimeoutSeconds=90,
        sqsManagedSseEnabled=True,
    )
    attributes = toys.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["SqsManagedSseEnabled"]) == ("90", "true")
    assert outputs["arn"] == attributes["QueueArn"]


def test_event_targets_keep_the_users_names_in_maps(provider: AwsProvider, toys: Toys) -> None:
    rule, (_, queue) = toys.name("rule"), toys.queue()
    pattern = json.dumps({"source": ["aws.s3"]})
    create(provider, "aws:cloudwatch/eventRule:EventRule", name=rule, eventPattern=pattern)
    create(
        provider,
        "aws:cloudwatch/eventTarget:EventTarget",
        rule=rule,
        arn=queue,
        targetId="queue",
        retryPolicy={"maximumRetryAttempts": 3, "maximumEventAgeInSeconds": 60},
        inputTransformer={"inputPaths": {"theKey": "$.detail.object.key"}, "inputTemplate": '"<theKey>"'},
    )
    [target] = toys.client("events").list_targets_by_rule(Rule=rule)["Targets"]
    assert target["InputTransformer"]["InputPathsMap"] == {"theKey": "$.detail.object.key"}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 3


def test_a_job_that_would_retry_by_itself_is_refused(provider: AwsProvider, toys: Toys) -> None:
    with pytest.raises(ResourceError, match="maxRetries isn't emulated"):
        create(provider, "aws:glue/job:Job", name=toys.name("job"), maxRetries=2)


def test_the_groups_of_a_network_start_without_rules(provider: AwsProvider, toys: Toys) -> None:
    """As Pulumi makes them: AWS's own let everything out."""
    vpc, outputs = create(provider, "aws:ec2/vpc:Vpc", cidrBlock="10.1.0.0/24", enableDnsHostnames=True)
    assert outputs["defaultRouteTableId"].startswith("rtb-")
    own, _ = create(provider, "aws:ec2/securityGroup:SecurityGroup", vpcId=vpc, description="toys", name="toys")
    default, _ = create(provider, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", vpcId=vpc)
    groups = toys.client("ec2").describe_security_groups(GroupIds=[own, default])["SecurityGroups"]
    assert [(group["IpPermissions"], group["IpPermissionsEgress"]) for group in groups] == [([], [])] * 2
