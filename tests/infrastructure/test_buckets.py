"""Every bucket is private, encrypted, versioned, reached by TLS only, and keeps what it is given.

The names in brackets are controls of AWS Foundational Security Best Practices.
"""

import json

from tests.infrastructure.recording import ACCOUNT, REGION, Recorded, Recording

PURPOSES = ["artefacts", "ledger", "processed", "quarantine", "source"]


def _buckets(deployment: Recording) -> list[Recorded]:
    return deployment.of_type("aws:s3/bucket:Bucket")


def _of_bucket(deployment: Recording, type_: str, bucket: Recorded) -> Recorded:
    (found,) = [each for each in deployment.of_type(type_) if each.inputs["bucket"] == bucket.id]
    return found


def test_there_are_five_buckets_named_after_their_purpose_and_place(deployment: Recording, stack: str) -> None:
    names = sorted(bucket.inputs["bucket"] for bucket in _buckets(deployment))
    assert names == [f"retail-{stack}-{purpose}-{ACCOUNT}-{REGION}" for purpose in PURPOSES]


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


def test_every_bucket_encrypts(deployment: Recording) -> None:
    for bucket in _buckets(deployment):
        encryption = _of_bucket(
            deployment,
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            bucket,
        )
        (rule,) = encryption.inputs["rules"]
        assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


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
        allowed = ["athena-results/"] if lifecycle.name.endswith("-artefacts") else []
        assert [rule["filter"]["prefix"] for rule in expiring] == allowed


def test_every_bucket_refuses_plain_text(deployment: Recording) -> None:
    """[S3.5]"""
    for bucket in _buckets(deployment):
        policy = json.loads(_of_bucket(deployment, "aws:s3/bucketPolicy:BucketPolicy", bucket).inputs["policy"])
        (statement,) = policy["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Principal"] == {"AWS": "*"}
        assert statement["Action"] == "s3:*"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        arn = bucket.outputs["arn"]
        assert statement["Resource"] == [arn, f"{arn}/*"]


def test_the_source_bucket_alone_tells_of_its_objects(deployment: Recording, stack: str) -> None:
    (notification,) = deployment.of_type("aws:s3/bucketNotification:BucketNotification")
    assert notification.inputs == {
        "bucket": f"retail-{stack}-source-{ACCOUNT}-{REGION}",
        "eventbridge": True,
    }


def test_data_outlives_the_stack_where_it_is_protected(deployment: Recording, stack: str) -> None:
    protected = stack == "everything"
    for bucket in _buckets(deployment):
        assert (bucket.protect, bucket.retain_on_delete) == (protected, protected)
        assert bucket.inputs["forceDestroy"] is not protected
