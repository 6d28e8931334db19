"""Every bucket is private, encrypted, versioned, reached by TLS only, and keeps what it is given.

The names in brackets are controls of AWS Foundational Security Best Practices.
"""

import json
from fnmatch import fnmatch

from tests.infrastructure.conftest import KEY, deployed
from tests.infrastructure.recording import ACCOUNT, REGION, Recorded, Recording

PURPOSES = ["access-logs", "artefacts", "ledger", "processed", "quarantine", "source"]
LONG_NAMES = {"everything": "shops-of-the-north-east"}


def _buckets(deployment: Recording) -> list[Recorded]:
    return deployment.of_type("aws:s3/bucket:Bucket")


def _of_bucket(deployment: Recording, type_: str, bucket: Recorded) -> Recorded:
    (found,) = [each for each in deployment.of_type(type_) if each.inputs["bucket"] == bucket.id]
    return found


def test_buckets_are_named_after_their_purpose_and_place(deployment: Recording, stack: str) -> None:
    names = sorted(bucket.inputs["bucket"] for bucket in _buckets(deployment))
    purposes = PURPOSES[:-1] if stack == "existing" else PURPOSES
    name = LONG_NAMES.get(stack, f"retail-{stack}")
    assert names == [f"{name}-{purpose}-{ACCOUNT}-{REGION}" for purpose in purposes]


def test_access_to_every_bucket_is_logged_but_to_the_log(deployment: Recording) -> None:
    """[S3.9]"""
    (log,) = [bucket for bucket in _buckets(deployment) if bucket.name.endswith("-access-logs")]
    for bucket in _buckets(deployment):
        if bucket is not log:
            logging = _of_bucket(deployment, "aws:s3/bucketLogging:BucketLogging", bucket)
            assert logging.inputs["targetBucket"] == log.id
    assert len(deployment.of_type("aws:s3/bucketLogging:BucketLogging")) == len(_buckets(deployment)) - 1


def test_s3_writes_the_log_for_our_buckets_only(deployment: Recording) -> None:
    """The confused deputy: another account's access log must not get in."""
    (log,) = [bucket for bucket in _buckets(deployment) if bucket.name.endswith("-access-logs")]
    policy = json.loads(_of_bucket(deployment, "aws:s3/bucketPolicy:BucketPolicy", log).inputs["policy"])
    [delivery] = [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"]
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert (delivery["Action"], delivery["Resource"]) == (["s3:PutObject"], [f"{log.outputs['arn']}/*"])
    assert delivery["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    pattern = delivery["Condition"]["ArnLike"]["aws:SourceArn"]
    assert all(fnmatch(bucket.outputs["arn"], pattern) for bucket in _buckets(deployment))
    assert pattern.startswith(log.outputs["arn"].partition("access-logs")[0])


def test_no_bucket_can_be_made_public(deployment: Recording) -> None:
    """[S3.1] [S3.2] [S3.3] [S3.8]"""
    for bucket in _buckets(deployment):
        block = _of_bucket(deployment, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", bucket)
        switches = {key: value for key, value in block.inputs.items() if key != "bucket"}
        assert switches == {
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        }


def test_no_bucket_knows_access_control_lists(deployment: Recording) -> None:
    """[S3.12]"""
    for bucket in _buckets(deployment):
        controls = _of_bucket(deployment, "aws:s3/bucketOwnershipControls:BucketOwnershipControls", bucket)
        assert controls.inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_every_bucket_encrypts(deployment: Recording, stack: str) -> None:
    for bucket in _buckets(deployment):
        encryption = _of_bucket(
            deployment,
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            bucket,
        )
        (rule,) = encryption.inputs["rules"]
        key = _data_key(deployment, stack)
        expected = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key} if key else {"sseAlgorithm": "AES256"}
        if bucket.name.endswith("-access-logs"):
            expected = {"sseAlgorithm": "AES256"}  # S3 delivers to no other
        assert rule["applyServerSideEncryptionByDefault"] == expected


def _data_key(deployment: Recording, stack: str) -> str | None:
    """[S3.17]"""
    if stack == "existing":
        return KEY.format("lake")
    made = [key for key in deployment.of_type("aws:kms/key:Key") if key.name.endswith("-data")]
    assert len(made) == (stack in ("everything", "prod"))
    return str(made[0].outputs["arn"]) if made else None


def test_every_bucket_keeps_versions_and_forgets_them_in_time(deployment: Recording) -> None:
    """[S3.13] [S3.14]"""
    for bucket in _buckets(deployment):
        versioning = _of_bucket(deployment, "aws:s3/bucketVersioning:BucketVersioning", bucket)
        assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
        lifecycle = _of_bucket(deployment, "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", bucket)
        rule = lifecycle.inputs["rules"][0]
        assert rule["status"] == "Enabled"
        assert rule["filter"] == {"prefix": ""}
        assert rule["noncurrentVersionExpiration"]["noncurrentDays"] > 0
        assert rule["abortIncompleteMultipartUpload"]["daysAfterInitiation"] > 0


def test_no_rule_removes_data_that_is_current(deployment: Recording) -> None:
    for lifecycle in deployment.of_type("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"):
        expiring = [rule for rule in lifecycle.inputs["rules"] if "days" in rule.get("expiration", {})]
        purpose = lifecycle.name.rpartition("-")[2]
        allowed = {"artefacts": ["athena-results/"], "logs": [""]}.get(purpose, [])
        assert [rule["filter"]["prefix"] for rule in expiring] == allowed


def test_every_bucket_refuses_plain_text(deployment: Recording) -> None:
    """[S3.5]"""
    for bucket in _buckets(deployment):
        policy = json.loads(_of_bucket(deployment, "aws:s3/bucketPolicy:BucketPolicy", bucket).inputs["policy"])
        (statement,) = [statement for statement in policy["Statement"] if statement["Effect"] == "Deny"]
        assert statement["Principal"] == {"AWS": "*"}
        assert statement["Action"] == "s3:*"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        arn = bucket.outputs["arn"]
        assert statement["Resource"] == [arn, f"{arn}/*"]


def test_the_source_bucket_alone_tells_of_its_objects(deployment: Recording, stack: str) -> None:
    (notification,) = deployment.of_type("aws:s3/bucketNotification:BucketNotification")
    assert notification.inputs == {"bucket": deployment.exports["source_bucket"], "eventbridge": True}
    assert (deployment.exports["source_bucket"] == "uploads-of-old") is (stack == "existing")


def test_a_bucket_that_was_there_is_left_as_it_is(recordings: dict[str, Recording]) -> None:
    existing = deployed(recordings, "existing")
    touching = [resource.type for resource in existing.resources if resource.inputs.get("bucket") == "uploads-of-old"]
    assert touching == ["aws:s3/bucketNotification:BucketNotification"]  # which was asked for


def test_data_outlives_the_stack_where_it_is_protected(deployment: Recording, stack: str) -> None:
    protected = stack not in ("dev", "local")
    for bucket in _buckets(deployment):
        assert (bucket.protect, bucket.retain_on_delete) == (protected, protected)
        assert bucket.inputs["forceDestroy"] is not protected
