"""Resource types of S3 and KMS."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pulumi

from emulator.clients import REGION
from emulator.resources.inputs import Inputs, ResourceError, members
from emulator.resources.registry import Clients, Created

_BUCKET_TYPES = "aws:s3/bucket"


def bucket(aws: Clients, inputs: Inputs) -> Created:
    name = inputs["bucket"]
    inputs.set_aside("buckets go with the server", "forceDestroy")
    aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name, {
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{REGION}.amazonaws.com",
        "region": REGION,
    }


def versioning(aws: Clients, inputs: Inputs) -> Created:
    configuration = members(inputs["versioningConfiguration"], {"mfaDelete": "MFADelete"})
    aws("s3").put_bucket_versioning(Bucket=inputs["bucket"], VersioningConfiguration=configuration)
    return inputs["bucket"], {}


def encryption(aws: Clients, inputs: Inputs) -> Created:
    rules = members(inputs["rules"], {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"})
    aws("s3").put_bucket_encryption(Bucket=inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules})
    return inputs["bucket"], {}


def lifecycle(aws: Clients, inputs: Inputs) -> Created:
    rules = members(inputs["rules"], {"id": "ID"})
    aws("s3").put_bucket_lifecycle_configuration(Bucket=inputs["bucket"], LifecycleConfiguration={"Rules": rules})
    return inputs["bucket"], {}


def public_access_block(aws: Clients, inputs: Inputs) -> Created:
    configuration = inputs.request(
        BlockPublicAcls="blockPublicAcls",
        BlockPublicPolicy="blockPublicPolicy",
        IgnorePublicAcls="ignorePublicAcls",
        RestrictPublicBuckets="restrictPublicBuckets",
    )
    aws("s3").put_public_access_block(Bucket=inputs["bucket"], PublicAccessBlockConfiguration=configuration)
    return inputs["bucket"], {}


def ownership_controls(aws: Clients, inputs: Inputs) -> Created:
    rules = [members(inputs["rule"])]
    aws("s3").put_bucket_ownership_controls(Bucket=inputs["bucket"], OwnershipControls={"Rules": rules})
    return inputs["bucket"], {}


def bucket_policy(aws: Clients, inputs: Inputs) -> Created:
    aws("s3").put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
    return inputs["bucket"], {}


def logging(aws: Clients, inputs: Inputs) -> Created:
    enabled = {"TargetBucket": inputs["targetBucket"], "TargetPrefix": inputs["targetPrefix"]}
    aws("s3").put_bucket_logging(Bucket=inputs["bucket"], BucketLoggingStatus={"LoggingEnabled": enabled})
    return inputs["bucket"], {}


def notification(aws: Clients, inputs: Inputs) -> Created:
    configuration: dict[str, Any] = {"EventBridgeConfiguration": {}} if inputs.optional("eventbridge") else {}
    aws("s3").put_bucket_notification_configuration(Bucket=inputs["bucket"], NotificationConfiguration=configuration)
    return inputs["bucket"], {}


def bucket_object(aws: Clients, inputs: Inputs) -> Created:
    inputs.set_aside("tell Pulumi when to upload again; here it is always once", "sourceHash", "etag")
    inputs.set_aside("objects go with the server", "forceDestroy")
    content = inputs.optional("content")
    body = content.encode() if content is not None else asset_bytes(inputs["source"], inputs.resource)
    response = aws("s3").put_object(
        Bucket=inputs["bucket"],
        Key=inputs["key"],
        Body=body,
        **inputs.request(
            ContentType="contentType", ServerSideEncryption="serverSideEncryption", SSEKMSKeyId="kmsKeyId"
        ),
    )
    return inputs["key"], {
        "arn": f"arn:aws:s3:::{inputs['bucket']}/{inputs['key']}",
        "versionId": response.get("VersionId", ""),
        "etag": response["ETag"].strip('"'),
    }


def asset_bytes(asset: Any, resource: str) -> bytes:
    """What an asset or archive holds; archives become zip files.

    Raises ResourceError for remote assets.
    """
    if isinstance(asset, pulumi.FileAsset):
        return Path(asset.path).read_bytes()
    if isinstance(asset, pulumi.StringAsset):
        return asset.text.encode()
    if isinstance(asset, pulumi.FileArchive) and Path(asset.path).is_file():
        return Path(asset.path).read_bytes()
    if isinstance(asset, pulumi.FileArchive | pulumi.AssetArchive):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            _add(archive, "", asset, resource)
        return buffer.getvalue()
    raise ResourceError(f"{resource}: {type(asset).__name__} isn't emulated; give a local file or folder")


def _add(archive: zipfile.ZipFile, place: str, asset: Any, resource: str) -> None:
    if isinstance(asset, pulumi.AssetArchive):
        for name, item in asset.assets.items():
            _add(archive, f"{place}/{name}".strip("/"), item, resource)
    elif isinstance(asset, pulumi.FileArchive) and Path(asset.path).is_dir():
        folder = Path(asset.path)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, f"{place}/{path.relative_to(folder)}".strip("/"))
    else:
        archive.writestr(place, asset_bytes(asset, resource))


def key(aws: Clients, inputs: Inputs) -> Created:
    inputs.set_aside("keys go with the server", "deletionWindowInDays")
    kms = aws("kms")
    request = inputs.request(Description="description", Policy="policy", KeyUsage="keyUsage", KeySpec="keySpec")
    created = kms.create_key(**request)["KeyMetadata"]
    if inputs.optional("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=created["KeyId"])
    return created["KeyId"], {"arn": created["Arn"], "keyId": created["KeyId"]}


def alias(aws: Clients, inputs: Inputs) -> Created:
    aws("kms").create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
    return inputs["name"], {}


RESOURCES = {
    f"{_BUCKET_TYPES}:Bucket": bucket,
    f"{_BUCKET_TYPES}Versioning:BucketVersioning": versioning,
    f"{_BUCKET_TYPES}ServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": encryption,
    f"{_BUCKET_TYPES}LifecycleConfiguration:BucketLifecycleConfiguration": lifecycle,
    f"{_BUCKET_TYPES}PublicAccessBlock:BucketPublicAccessBlock": public_access_block,
    f"{_BUCKET_TYPES}OwnershipControls:BucketOwnershipControls": ownership_controls,
    f"{_BUCKET_TYPES}Policy:BucketPolicy": bucket_policy,
    f"{_BUCKET_TYPES}Logging:BucketLogging": logging,
    f"{_BUCKET_TYPES}Notification:BucketNotification": notification,
    f"{_BUCKET_TYPES}Objectv2:BucketObjectv2": bucket_object,
    "aws:kms/key:Key": key,
    "aws:kms/alias:Alias": alias,
}
