"""Controls of AWS Foundational Security Best Practices that concern what the components deploy.

Each has the name and the meaning that AWS gives it
(https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-controls-reference.html). They hold for any
Pulumi program on AWS, as `pulumi preview --policy-pack policies`.
"""

from collections.abc import Sequence

from pulumi_policy import EnforcementLevel, Policy, PolicyResource

from policies.resources import (
    BLOCKS_ALL_PUBLIC_ACCESS,
    Properties,
    Stack,
    allows,
    lets_everybody_in,
    of_resource,
    of_stack,
    refuses_plain_text,
)

_BUCKET = "s3/bucket:Bucket"
_PUBLIC_BLOCK = "s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_ROLE_POLICIES = ("iam/rolePolicy:RolePolicy", "iam/userPolicy:UserPolicy", "iam/groupPolicy:GroupPolicy")
_WORKGROUP = "redshiftserverless/workgroup:Workgroup"
_NAMESPACE = "redshiftserverless/namespace:Namespace"

_SUPPORTED_RUNTIMES = (
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "nodejs22.x",
    "nodejs24.x",
    "java21",
    "java25",
)
_SUPPORTED_GLUE = ("3.0", "4.0", "5.0", "5.1", "6.0")


def _is_private(bucket: PolicyResource, stack: Stack) -> bool:
    blocks = stack.of_bucket("BucketPublicAccessBlock", bucket)
    return any(all(block.get(key) is True for key in BLOCKS_ALL_PUBLIC_ACCESS) for block in blocks)


def _is_logged(bucket: PolicyResource, stack: Stack) -> bool:
    # The log's own log would have no end (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html).
    takes_logs = stack.with_property("s3/bucketLogging:BucketLogging", "targetBucket", bucket.props["bucket"])
    return bool(takes_logs or stack.of_bucket("BucketLogging", bucket))


def _refuses_lists(bucket: PolicyResource, stack: Stack) -> bool:
    controls = stack.of_bucket("BucketOwnershipControls", bucket)
    return any(each["rule"]["objectOwnership"] == "BucketOwnerEnforced" for each in controls)


def _uses_kms(bucket: PolicyResource, stack: Stack) -> bool:
    return any(
        rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"].startswith("aws:kms")
        for each in stack.of_bucket("BucketServerSideEncryptionConfiguration", bucket)
        for rule in each["rules"]
    )


def _decrypts_with_any_key(properties: Properties) -> bool:
    return allows(properties, lambda action: action in ("kms:Decrypt", "kms:ReEncryptFrom", "kms:*", "*"), "*")


def _has_flow_log(vpc: PolicyResource, stack: Stack) -> bool:
    # The network's id is known only once it is there: what belongs together has one parent.
    return any(_parent(log) == _parent(vpc) for log in stack.of_type("ec2/flowLog:FlowLog"))


def _has_closed_default_group(vpc: PolicyResource, stack: Stack) -> bool:
    groups = stack.of_type("ec2/defaultSecurityGroup:DefaultSecurityGroup")
    return any(
        _parent(group) == _parent(vpc) and not group.props.get("ingress") and not group.props.get("egress")
        for group in groups
    )


def _parent(resource: PolicyResource) -> str:
    return resource.parent.urn if resource.parent else ""


def _logs(properties: Properties) -> bool:
    configuration = properties.get("loggingConfiguration") or {}
    return configuration.get("level", "OFF") != "OFF" and bool(configuration.get("logDestination"))


def _requires_tls(properties: Properties) -> bool:
    wanted = {"parameterKey": "require_ssl", "parameterValue": "true"}
    return any(wanted.items() <= dict(each).items() for each in properties.get("configParameters") or [])


CONTROLS: Sequence[Policy] = (
    of_stack("S3.1", "a bucket has to block public access", _BUCKET, _is_private),
    of_stack("S3.2", "a bucket must not be readable by the public", _BUCKET, _is_private),
    of_stack("S3.3", "a bucket must not be writable by the public", _BUCKET, _is_private),
    of_stack(
        "S3.5",
        "a bucket has to refuse requests without TLS",
        _BUCKET,
        lambda bucket, stack: any(map(refuses_plain_text, stack.of_bucket("BucketPolicy", bucket))),
    ),
    of_resource(
        "S3.8",
        "public access has to be blocked in every way",
        [_PUBLIC_BLOCK],
        lambda block: all(block.get(key) is True for key in BLOCKS_ALL_PUBLIC_ACCESS),
    ),
    of_stack("S3.9", "access to a bucket has to be logged", _BUCKET, _is_logged),
    of_stack("S3.12", "a bucket must not know access control lists", _BUCKET, _refuses_lists),
    of_stack(
        "S3.13",
        "a bucket has to have a lifecycle",
        _BUCKET,
        lambda bucket, stack: bool(stack.of_bucket("BucketLifecycleConfiguration", bucket)),
    ),
    # S3's own keys are a choice of the settings, and access logs can't be delivered to a bucket with another key.
    of_stack("S3.17", "a bucket should encrypt with a KMS key", _BUCKET, _uses_kms, EnforcementLevel.ADVISORY),
    of_resource(
        "Lambda.1",
        "a function must not be callable by the public",
        ["lambda/permission:Permission"],
        lambda permission: permission.get("principal") != "*",
    ),
    of_resource(
        "Lambda.2",
        "a function has to use a runtime that is supported",
        ["lambda/function:Function"],
        lambda function: function.get("packageType") == "Image" or function.get("runtime") in _SUPPORTED_RUNTIMES,
    ),
    of_resource(
        "Glue.3",
        "a machine learning transform has to be encrypted",
        ["glue/mLTransform:MLTransform"],
        lambda transform: bool(transform.get("transformEncryption")),
    ),
    of_resource(
        "Glue.4",
        "a job has to use a version of Glue that is supported",
        ["glue/job:Job"],
        lambda job: job.get("glueVersion") in _SUPPORTED_GLUE,
    ),
    of_resource(
        "Athena.4",
        "a workgroup has to publish its metrics",
        ["athena/workgroup:Workgroup"],
        lambda group: (group.get("configuration") or {}).get("publishCloudwatchMetricsEnabled") is True,
    ),
    of_resource("StepFunctions.1", "a state machine has to log", ["sfn/stateMachine:StateMachine"], _logs),
    of_resource(
        "SNS.4",
        "a topic must not let everybody in",
        ["sns/topicPolicy:TopicPolicy"],
        lambda policy: not lets_everybody_in(policy),
    ),
    of_resource(
        "SQS.1",
        "a queue has to be encrypted",
        ["sqs/queue:Queue"],
        lambda queue: queue.get("sqsManagedSseEnabled") is True or bool(queue.get("kmsMasterKeyId")),
    ),
    of_resource(
        "SQS.3",
        "a queue must not let everybody in",
        ["sqs/queuePolicy:QueuePolicy"],
        lambda policy: not lets_everybody_in(policy),
    ),
    of_resource(
        "KMS.1",
        "a policy must not allow decryption with every key",
        ["iam/policy:Policy"],
        lambda policy: not _decrypts_with_any_key(policy),
    ),
    of_resource(
        "KMS.2",
        "a policy must not allow decryption with every key",
        _ROLE_POLICIES,
        lambda policy: not _decrypts_with_any_key(policy),
    ),
    of_resource(
        "KMS.3",
        "a key must not be lost by accident: a month to think again",
        ["kms/key:Key"],
        lambda key: (key.get("deletionWindowInDays") or 30) >= 30,
    ),
    of_resource("KMS.4", "a key has to be rotated", ["kms/key:Key"], lambda key: key.get("enableKeyRotation") is True),
    of_resource("KMS.5", "a key must not let everybody in", ["kms/key:Key"], lambda key: not lets_everybody_in(key)),
    of_resource(
        "RedshiftServerless.1",
        "a workgroup has to keep its traffic in the network",
        [_WORKGROUP],
        lambda group: group.get("enhancedVpcRouting") is True,
    ),
    of_resource("RedshiftServerless.2", "a workgroup has to ask for TLS", [_WORKGROUP], _requires_tls),
    of_resource(
        "RedshiftServerless.3",
        "a workgroup must not be reached by the public",
        [_WORKGROUP],
        lambda group: group.get("publiclyAccessible") is False,
    ),
    of_resource(
        "RedshiftServerless.5",
        "the administrator must not have the usual name",
        [_NAMESPACE],
        lambda namespace: namespace.get("adminUsername") not in (None, "admin"),
    ),
    of_resource(
        "RedshiftServerless.6",
        "a namespace has to log connections and users",
        [_NAMESPACE],
        lambda namespace: {"connectionlog", "userlog"} <= set(namespace.get("logExports") or []),
    ),
    of_resource(
        "IAM.1",
        "a policy must not allow everything",
        ["iam/policy:Policy", *_ROLE_POLICIES],
        lambda policy: not allows(policy, lambda action: action == "*"),
    ),
    of_resource(
        "IAM.21",
        "a policy must not allow all actions of a service",
        ["iam/policy:Policy", *_ROLE_POLICIES],
        lambda policy: not allows(policy, lambda action: action.endswith(":*")),
    ),
    of_stack(
        "EC2.2", "a network's default group must not let anything through", "ec2/vpc:Vpc", _has_closed_default_group
    ),
    of_stack("EC2.6", "a network has to have a flow log", "ec2/vpc:Vpc", _has_flow_log),
)
