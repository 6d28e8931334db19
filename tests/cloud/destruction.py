"""What `pulumi destroy` does with a recorded stack, by the calls that AWS takes, and what an account has then."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from emulator.resources import EMULATED
from tests.infrastructure.recording import Recorded, Recording

Clients = Callable[[str], Any]


class ProtectedError(Exception):
    """A destroy stopped at a protected resource, with nothing deleted."""


def destroy(stack: Recording, aws: Clients, *, exclude_protected: bool = False) -> None:
    """Deletes what the stack has in the emulated AWS, dependents first.

    With `exclude_protected` all stays that is protected, and what that depends on
    (https://www.pulumi.com/docs/iac/cli/commands/pulumi_destroy/). Raises ProtectedError without.
    """
    protected = [resource for resource in stack.resources if resource.protect]
    if protected and not exclude_protected:
        raise ProtectedError(f"{protected[-1].type} {protected[-1].name} is protected")
    kept = _with_dependencies(stack, protected)
    for resource in reversed(stack.resources):
        if resource.type in EMULATED and resource.urn not in kept and not resource.retain_on_delete:
            _DELETIONS[resource.type](aws, {**resource.outputs, "id": resource.id})


def _with_dependencies(stack: Recording, resources: list[Recorded]) -> set[str]:
    by_urn = {resource.urn: resource for resource in stack.resources}
    found: set[str] = set()
    waiting = [resource.urn for resource in resources]
    while waiting:
        urn = waiting.pop()
        if urn in by_urn and urn not in found:
            found.add(urn)
            waiting += [by_urn[urn].parent, *by_urn[urn].dependencies]
    return found


def _empty_and_delete(aws: Clients, bucket: Mapping[str, Any]) -> None:
    s3, name = aws("s3"), bucket["bucket"]
    if bucket["forceDestroy"]:
        _delete_versions(s3, name)
    s3.delete_bucket(Bucket=name)


def _delete_versions(s3: Any, bucket: str, key: str = "") -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
        if objects:
            assert not s3.delete_objects(Bucket=bucket, Delete={"Objects": objects}).get("Errors")


def _suspend(aws: Clients, it: Mapping[str, Any]) -> None:
    aws("s3").put_bucket_versioning(Bucket=it["bucket"], VersioningConfiguration={"Status": "Suspended"})


def _unset_on_queue(aws: Clients, it: Mapping[str, Any], attribute: str) -> None:
    aws("sqs").set_queue_attributes(QueueUrl=it["queueUrl"], Attributes={attribute: ""})


def _keep(_aws: Clients, _it: Mapping[str, Any]) -> None:
    """It goes with what it belongs to."""


_S3 = "aws:s3/bucket"
_DELETIONS: dict[str, Callable[[Clients, Mapping[str, Any]], object]] = {
    "aws:athena/namedQuery:NamedQuery": lambda aws, it: aws("athena").delete_named_query(NamedQueryId=it["id"]),
    "aws:athena/workgroup:Workgroup": lambda aws, it: aws("athena").delete_work_group(
        WorkGroup=it["name"], RecursiveDeleteOption=it["forceDestroy"]
    ),
    "aws:cloudwatch/dashboard:Dashboard": lambda aws, it: aws("cloudwatch").delete_dashboards(
        DashboardNames=[it["dashboardName"]]
    ),
    "aws:cloudwatch/eventRule:EventRule": lambda aws, it: aws("events").delete_rule(Name=it["name"]),
    "aws:cloudwatch/eventTarget:EventTarget": lambda aws, it: aws("events").remove_targets(
        Rule=it["rule"], Ids=[it["targetId"]]
    ),
    "aws:cloudwatch/logGroup:LogGroup": lambda aws, it: aws("logs").delete_log_group(logGroupName=it["name"]),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": lambda aws, it: aws("logs").delete_metric_filter(
        logGroupName=it["logGroupName"], filterName=it["name"]
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": lambda aws, it: aws("cloudwatch").delete_alarms(AlarmNames=[it["name"]]),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _keep,
    "aws:ec2/flowLog:FlowLog": lambda aws, it: aws("ec2").delete_flow_logs(FlowLogIds=[it["id"]]),
    "aws:ec2/securityGroup:SecurityGroup": lambda aws, it: aws("ec2").delete_security_group(GroupId=it["id"]),
    "aws:ec2/subnet:Subnet": lambda aws, it: aws("ec2").delete_subnet(SubnetId=it["id"]),
    "aws:ec2/vpc:Vpc": lambda aws, it: aws("ec2").delete_vpc(VpcId=it["id"]),
    "aws:ec2/vpcEndpoint:VpcEndpoint": lambda aws, it: aws("ec2").delete_vpc_endpoints(VpcEndpointIds=[it["id"]]),
    "aws:glue/catalogDatabase:CatalogDatabase": lambda aws, it: aws("glue").delete_database(Name=it["name"]),
    "aws:glue/catalogTable:CatalogTable": lambda aws, it: aws("glue").delete_table(
        DatabaseName=it["databaseName"], Name=it["name"]
    ),
    "aws:glue/crawler:Crawler": lambda aws, it: aws("glue").delete_crawler(Name=it["name"]),
    "aws:glue/job:Job": lambda aws, it: aws("glue").delete_job(JobName=it["name"]),
    "aws:glue/securityConfiguration:SecurityConfiguration": lambda aws, it: aws("glue").delete_security_configuration(
        Name=it["name"]
    ),
    "aws:iam/role:Role": lambda aws, it: aws("iam").delete_role(RoleName=it["name"]),
    "aws:iam/rolePolicy:RolePolicy": lambda aws, it: aws("iam").delete_role_policy(
        RoleName=it["role"], PolicyName=it["name"]
    ),
    "aws:kms/alias:Alias": lambda aws, it: aws("kms").delete_alias(AliasName=it["name"]),
    "aws:kms/key:Key": lambda aws, it: aws("kms").schedule_key_deletion(
        KeyId=it["id"], PendingWindowInDays=it["deletionWindowInDays"]
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": lambda aws, it: aws("lambda").delete_event_source_mapping(
        UUID=it["id"]
    ),
    "aws:lambda/function:Function": lambda aws, it: aws("lambda").delete_function(FunctionName=it["name"]),
    f"{_S3}:Bucket": _empty_and_delete,
    f"{_S3}LifecycleConfiguration:BucketLifecycleConfiguration": lambda aws, it: aws("s3").delete_bucket_lifecycle(
        Bucket=it["bucket"]
    ),
    f"{_S3}Logging:BucketLogging": lambda aws, it: aws("s3").put_bucket_logging(
        Bucket=it["bucket"], BucketLoggingStatus={}
    ),
    f"{_S3}Notification:BucketNotification": lambda aws, it: aws("s3").put_bucket_notification_configuration(
        Bucket=it["bucket"], NotificationConfiguration={}
    ),
    f"{_S3}Objectv2:BucketObjectv2": lambda aws, it: _delete_versions(aws("s3"), it["bucket"], it["key"]),
    f"{_S3}OwnershipControls:BucketOwnershipControls": lambda aws, it: aws("s3").delete_bucket_ownership_controls(
        Bucket=it["bucket"]
    ),
    f"{_S3}Policy:BucketPolicy": lambda aws, it: aws("s3").delete_bucket_policy(Bucket=it["bucket"]),
    f"{_S3}PublicAccessBlock:BucketPublicAccessBlock": lambda aws, it: aws("s3").delete_public_access_block(
        Bucket=it["bucket"]
    ),
    f"{_S3}ServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": lambda aws, it: aws(
        "s3"
    ).delete_bucket_encryption(Bucket=it["bucket"]),
    f"{_S3}Versioning:BucketVersioning": _suspend,
    "aws:sfn/stateMachine:StateMachine": lambda aws, it: aws("stepfunctions").delete_state_machine(
        stateMachineArn=it["arn"]
    ),
    "aws:sns/topic:Topic": lambda aws, it: aws("sns").delete_topic(TopicArn=it["arn"]),
    "aws:sns/topicPolicy:TopicPolicy": _keep,
    "aws:sns/topicSubscription:TopicSubscription": lambda aws, it: aws("sns").unsubscribe(SubscriptionArn=it["arn"]),
    "aws:sqs/queue:Queue": lambda aws, it: aws("sqs").delete_queue(QueueUrl=it["url"]),
    "aws:sqs/queuePolicy:QueuePolicy": lambda aws, it: _unset_on_queue(aws, it, "Policy"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": lambda aws, it: _unset_on_queue(aws, it, "RedriveAllowPolicy"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": lambda aws, it: aws("ec2").revoke_security_group_egress(
        GroupId=it["securityGroupId"], SecurityGroupRuleIds=[it["id"]]
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": lambda aws, it: aws(
        "ec2"
    ).revoke_security_group_ingress(GroupId=it["securityGroupId"], SecurityGroupRuleIds=[it["id"]]),
}
"""How the provider deletes each type: https://github.com/hashicorp/terraform-provider-aws"""

_LISTS: dict[str, tuple[str, str, str, str]] = {
    "alarm": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "alias": ("kms", "list_aliases", "Aliases", "AliasName"),
    "bucket": ("s3", "list_buckets", "Buckets", "Name"),
    "crawler": ("glue", "get_crawlers", "Crawlers", "Name"),
    "dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "database": ("glue", "get_databases", "DatabaseList", "Name"),
    "event source": ("lambda", "list_event_source_mappings", "EventSourceMappings", "EventSourceArn"),
    "function": ("lambda", "list_functions", "Functions", "FunctionName"),
    "job": ("glue", "get_jobs", "Jobs", "Name"),
    "log group": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "metric filter": ("logs", "describe_metric_filters", "metricFilters", "filterName"),
    "queue": ("sqs", "list_queues", "QueueUrls", ""),
    "role": ("iam", "list_roles", "Roles", "RoleName"),
    "rule": ("events", "list_rules", "Rules", "Name"),
    "security configuration": ("glue", "get_security_configurations", "SecurityConfigurations", "Name"),
    "state machine": ("stepfunctions", "list_state_machines", "stateMachines", "name"),
    "subscription": ("sns", "list_subscriptions", "Subscriptions", "TopicArn"),
    "topic": ("sns", "list_topics", "Topics", "TopicArn"),
    "workgroup": ("athena", "list_work_groups", "WorkGroups", "Name"),
}
"""For each kind: service, operation, list in its answer, name in the list."""


def inventory(aws: Clients, name: str) -> set[tuple[str, str]]:
    """Kind and name of all that an account has whose name has this in it, but for the queues of followers.

    Keys on their way out aren't there.
    """
    everything = {entry for entry in _everything(aws) if "/followers-of-" not in entry[1]}
    return {(kind, found) for kind, found in everything if name in found.replace("_", "-")}


def _everything(aws: Clients) -> Iterator[tuple[str, str]]:
    for kind, (service, operation, entries, key) in _LISTS.items():
        answer = getattr(aws(service), operation)()
        assert not {"NextToken", "nextToken", "NextMarker", "Marker"} & answer.keys(), f"more {kind}s than a page holds"
        for entry in answer.get(entries, []):
            yield kind, entry[key] if key else entry
    kms = aws("kms")
    for key_id in (key["KeyId"] for key in kms.list_keys()["Keys"]):
        metadata = kms.describe_key(KeyId=key_id)["KeyMetadata"]
        if metadata["KeyState"] == "Enabled":
            yield "key", metadata["Description"]
