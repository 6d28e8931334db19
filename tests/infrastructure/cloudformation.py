"""Writes recorded resources as a CloudFormation template, so that cfn-lint can hold them against AWS's schemas.

Pulumi's AWS provider and CloudFormation name most properties alike but for the case of letters: those are
found in the schema. `_SHAPES` tells where they differ. A property that neither rule finds is an error, so
nothing goes unchecked by accident.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cfnlint.api import ManualArgs, lint
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.infrastructure.recording import ACCOUNT, REGION, Recorded

NOT_IN_CLOUDFORMATION = {
    "aws:lakeformation/optIn:OptIn",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:redshiftdata/statement:Statement",
    "aws:redshiftserverless/usageLimit:UsageLimit",
    "aws:s3/bucketObjectv2:BucketObjectv2",
}

ACCEPTED_FINDINGS = {"W3010": "the zones aren't written in the program, it asks AWS for them"}
"""Rules of cfn-lint that don't apply here, and why."""


@dataclass(frozen=True)
class _Shape:
    """Where a type's properties are in CloudFormation.

    Targets are paths; a part that ends in `[]` is a list of one. A property that is `None` has no counterpart;
    the children of one that is `""` belong to its parent. `within` is the path of all others.
    """

    type: str
    properties: Mapping[str, str | None] = field(default_factory=dict)
    within: str = ""
    constants: Mapping[str, Any] = field(default_factory=dict)


_BUCKET = "AWS::S3::Bucket"
_SHAPES = {
    "aws:athena/namedQuery:NamedQuery": _Shape("AWS::Athena::NamedQuery", {"query": "QueryString"}),
    "aws:athena/workgroup:Workgroup": _Shape(
        "AWS::Athena::WorkGroup",
        {
            "configuration": "WorkGroupConfiguration",
            "configuration.resultConfiguration.encryptionConfiguration.kmsKeyArn": "KmsKey",
            "forceDestroy": "RecursiveDeleteOption",
        },
    ),
    "aws:budgets/budget:Budget": _Shape(
        "AWS::Budgets::Budget",
        {
            "name": "Budget/BudgetName",
            "budgetType": "Budget/BudgetType",
            "limitAmount": "Budget/BudgetLimit/Amount",
            "limitUnit": "Budget/BudgetLimit/Unit",
            "timeUnit": "Budget/TimeUnit",
            "notifications": "NotificationsWithSubscribers",
            "notifications.notificationType": "Notification/NotificationType",
            "notifications.comparisonOperator": "Notification/ComparisonOperator",
            "notifications.threshold": "Notification/Threshold",
            "notifications.thresholdType": "Notification/ThresholdType",
            "notifications.subscriberSnsTopicArns": "Subscribers",
            "notifications.subscriberEmailAddresses": "Subscribers",
        },
    ),
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": _Shape(
        "AWS::Chatbot::SlackChannelConfiguration",
        {
            "slackTeamId": "SlackWorkspaceId",
            "guardrailPolicyArns": "GuardrailPolicies",
            "userAuthorizationRequired": "UserRoleRequired",
        },
    ),
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration": _Shape(
        "AWS::Chatbot::MicrosoftTeamsChannelConfiguration",
        {
            "tenantId": "TeamsTenantId",
            "channelId": "TeamsChannelId",
            "guardrailPolicyArns": "GuardrailPolicies",
            "userAuthorizationRequired": "UserRoleRequired",
        },
    ),
    "aws:lakeformation/dataCellsFilter:DataCellsFilter": _Shape(
        "AWS::LakeFormation::DataCellsFilter", {"tableData": ""}
    ),
    "aws:lakeformation/dataLakeSettings:DataLakeSettings": _Shape("AWS::LakeFormation::DataLakeSettings"),
    "aws:lakeformation/lfTag:LfTag": _Shape("AWS::LakeFormation::Tag", {"key": "TagKey", "values": "TagValues"}),
    "aws:lakeformation/permissions:Permissions": _Shape(
        "AWS::LakeFormation::PrincipalPermissions",
        {
            "principal": "Principal/DataLakePrincipalIdentifier",
            "database": "Resource/Database",
            "table": "Resource/Table",
            "table.wildcard": "TableWildcard",
            "dataCellsFilter": "Resource/DataCellsFilter",
            "lfTagPolicy": "Resource/LFTagPolicy",
            "lfTagPolicy.expressions": "Expression",
            "lfTagPolicy.expressions.key": "TagKey",
            "lfTagPolicy.expressions.values": "TagValues",
        },
        constants={"PermissionsWithGrantOption": []},
    ),
    "aws:lakeformation/resource:Resource": _Shape(
        "AWS::LakeFormation::Resource", {"arn": "ResourceArn"}, constants={"UseServiceLinkedRole": False}
    ),
    "aws:lakeformation/resourceLfTags:ResourceLfTags": _Shape(
        "AWS::LakeFormation::TagAssociation",
        {
            "table": "Resource/Table",
            "lfTags.key": "TagKey",
            "lfTags.value": "TagValues[]",
        },
    ),
    "aws:cloudwatch/dashboard:Dashboard": _Shape("AWS::CloudWatch::Dashboard"),
    "aws:cloudwatch/eventRule:EventRule": _Shape("AWS::Events::Rule"),
    "aws:cloudwatch/eventTarget:EventTarget": _Shape(
        "AWS::Events::Rule",
        {"rule": None, "targetId": "Id"},
        within="Targets[]",
        constants={"EventPattern": {"source": ["aws.s3"]}},
    ),
    "aws:cloudwatch/logGroup:LogGroup": _Shape("AWS::Logs::LogGroup", {"name": "LogGroupName"}),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": _Shape(
        "AWS::Logs::MetricFilter",
        {
            "name": "FilterName",
            "pattern": "FilterPattern",
            "metricTransformation": "MetricTransformations[]",
            "metricTransformation.name": "MetricName",
            "metricTransformation.namespace": "MetricNamespace",
            "metricTransformation.value": "MetricValue",
        },
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _Shape("AWS::CloudWatch::Alarm", {"name": "AlarmName"}),
    "aws:ec2/flowLog:FlowLog": _Shape(
        "AWS::EC2::FlowLog",
        {"vpcId": "ResourceId", "iamRoleArn": "DeliverLogsPermissionArn"},
        constants={"ResourceType": "VPC"},
    ),
    "aws:ec2/securityGroup:SecurityGroup": _Shape("AWS::EC2::SecurityGroup", {"description": "GroupDescription"}),
    "aws:ec2/subnet:Subnet": _Shape("AWS::EC2::Subnet"),
    "aws:ec2/vpc:Vpc": _Shape("AWS::EC2::VPC"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _Shape("AWS::EC2::VPCEndpoint", {"policy": "PolicyDocument"}),
    "aws:glue/catalogDatabase:CatalogDatabase": _Shape(
        "AWS::Glue::Database", within="DatabaseInput", constants={"CatalogId": ACCOUNT}
    ),
    "aws:glue/catalogTable:CatalogTable": _Shape(
        "AWS::Glue::Table",
        {"databaseName": "/DatabaseName"},
        within="TableInput",
        constants={"CatalogId": ACCOUNT},
    ),
    "aws:glue/crawler:Crawler": _Shape(
        "AWS::Glue::Crawler",
        {
            "catalogTargets": "Targets/CatalogTargets",
            "schedule": "Schedule/ScheduleExpression",
            "securityConfiguration": "CrawlerSecurityConfiguration",
        },
    ),
    "aws:glue/job:Job": _Shape("AWS::Glue::Job", {"roleArn": "Role"}),
    "aws:glue/securityConfiguration:SecurityConfiguration": _Shape(
        "AWS::Glue::SecurityConfiguration", {"encryptionConfiguration.s3Encryption": "S3Encryptions[]"}
    ),
    "aws:iam/role:Role": _Shape("AWS::IAM::Role", {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"}),
    "aws:iam/rolePolicy:RolePolicy": _Shape(
        "AWS::IAM::RolePolicy", {"name": "PolicyName", "role": "RoleName", "policy": "PolicyDocument"}
    ),
    "aws:kms/alias:Alias": _Shape("AWS::KMS::Alias", {"name": "AliasName"}),
    "aws:kms/key:Key": _Shape("AWS::KMS::Key", {"policy": "KeyPolicy", "deletionWindowInDays": "PendingWindowInDays"}),
    "aws:lambda/eventSourceMapping:EventSourceMapping": _Shape("AWS::Lambda::EventSourceMapping"),
    "aws:lambda/function:Function": _Shape(
        "AWS::Lambda::Function",
        {"name": "FunctionName", "s3Bucket": "Code/S3Bucket", "s3Key": "Code/S3Key"},
    ),
    "aws:quicksight/dataSet:DataSet": _Shape(
        "AWS::QuickSight::DataSet",
        {"physicalTableMaps": "PhysicalTableMap"},
    ),
    "aws:quicksight/dataSource:DataSource": _Shape(
        "AWS::QuickSight::DataSource",
        {"parameters": "DataSourceParameters", "parameters.athena": "AthenaParameters"},
    ),
    "aws:quicksight/refreshSchedule:RefreshSchedule": _Shape(
        "AWS::QuickSight::RefreshSchedule",
        {
            "scheduleId": "Schedule/ScheduleId",
            "schedule": "",
            "schedule.refreshType": "Schedule/RefreshType",
            "schedule.scheduleFrequency": "Schedule/ScheduleFrequency",
            "schedule.scheduleFrequency.timezone": "TimeZone",
        },
    ),
    "aws:redshiftserverless/namespace:Namespace": _Shape("AWS::RedshiftServerless::Namespace"),
    "aws:redshiftserverless/workgroup:Workgroup": _Shape("AWS::RedshiftServerless::Workgroup"),
    "aws:s3/bucket:Bucket": _Shape(_BUCKET, {"bucket": "BucketName", "forceDestroy": None}),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _Shape(
        _BUCKET,
        {
            "bucket": None,
            "rules": "LifecycleConfiguration/Rules",
            "rules.filter": "",
            "rules.expiration": "",
            "rules.expiration.days": "ExpirationInDays",
        },
    ),
    "aws:s3/bucketLogging:BucketLogging": _Shape(
        _BUCKET,
        {"bucket": None, "targetBucket": "DestinationBucketName", "targetPrefix": "LogFilePrefix"},
        within="LoggingConfiguration",
    ),
    "aws:s3/bucketNotification:BucketNotification": _Shape(
        _BUCKET,
        {
            "bucket": None,
            "eventbridge": "NotificationConfiguration/EventBridgeConfiguration/EventBridgeEnabled",
        },
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _Shape(
        _BUCKET, {"bucket": None, "rule": "OwnershipControls/Rules[]"}
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _Shape("AWS::S3::BucketPolicy", {"policy": "PolicyDocument"}),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _Shape(
        _BUCKET, {"bucket": None}, within="PublicAccessBlockConfiguration"
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _Shape(
        _BUCKET,
        {
            "bucket": None,
            "rules": "BucketEncryption/ServerSideEncryptionConfiguration",
            "rules.applyServerSideEncryptionByDefault": "ServerSideEncryptionByDefault",
            "rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": "KMSMasterKeyID",
        },
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _Shape(_BUCKET, {"bucket": None}),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _Shape(
        "AWS::EC2::SecurityGroupEgress",
        {
            "securityGroupId": "GroupId",
            "prefixListId": "DestinationPrefixListId",
            "referencedSecurityGroupId": "DestinationSecurityGroupId",
        },
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _Shape(
        "AWS::EC2::SecurityGroupIngress",
        {"securityGroupId": "GroupId", "referencedSecurityGroupId": "SourceSecurityGroupId"},
    ),
    "aws:sagemaker/featureGroup:FeatureGroup": _Shape("AWS::SageMaker::FeatureGroup"),
    "aws:sfn/stateMachine:StateMachine": _Shape(
        "AWS::StepFunctions::StateMachine",
        {
            "name": "StateMachineName",
            "type": "StateMachineType",
            "definition": "DefinitionString",
            "loggingConfiguration.logDestination": "Destinations[]/CloudWatchLogsLogGroup/LogGroupArn",
        },
    ),
    "aws:sns/topic:Topic": _Shape("AWS::SNS::Topic", {"name": "TopicName"}),
    "aws:sns/topicPolicy:TopicPolicy": _Shape("AWS::SNS::TopicPolicy", {"arn": "Topics[]", "policy": "PolicyDocument"}),
    "aws:sns/topicSubscription:TopicSubscription": _Shape("AWS::SNS::Subscription", {"topic": "TopicArn"}),
    "aws:sqs/queue:Queue": _Shape(
        "AWS::SQS::Queue",
        {
            "name": "QueueName",
            "messageRetentionSeconds": "MessageRetentionPeriod",
            "visibilityTimeoutSeconds": "VisibilityTimeout",
        },
    ),
    "aws:sqs/queuePolicy:QueuePolicy": _Shape(
        "AWS::SQS::QueuePolicy", {"queueUrl": "Queues[]", "policy": "PolicyDocument"}
    ),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _Shape("AWS::SQS::Queue", {"queueUrl": None}),
}


class NoCounterpartError(Exception):
    """A resource type or a property that this module can't place."""


def cloudformation_type(type_: str) -> str:
    """CloudFormation's name of a type of the provider's."""
    return _SHAPES[type_].type


def findings(resources: Iterable[Recorded]) -> list[str]:
    """What cfn-lint says of these resources, a line for each finding; accepted ones are left out."""
    resources = [resource for resource in resources if resource.custom]
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            f"R{number}": translate(resource)
            for number, resource in enumerate(resources)
            if resource.type not in NOT_IN_CLOUDFORMATION
        },
    }
    matches = lint(json.dumps(template), config=ManualArgs(regions=[REGION]))
    lines = []
    for match in matches:
        if match.rule.id not in ACCEPTED_FINDINGS:
            _, logical_id, *path = match.path or ["", "R0"]
            resource = resources[int(str(logical_id)[1:])]
            lines.append(f"{match.rule.id} {resource.type} {resource.name} {path}: {match.message}")
    return lines


def translate(resource: Recorded) -> dict[str, Any]:
    """A resource as CloudFormation has it: its type and its properties, which are named as in AWS's own API."""
    if resource.type not in _SHAPES:
        raise NoCounterpartError(f"{resource.type}: say in cloudformation.py where it is in CloudFormation")
    shape = _SHAPES[resource.type]
    root = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, shape.type).schema
    schema = _Schema(root, root).at(shape.within)
    properties: dict[str, Any] = json.loads(json.dumps(shape.constants))
    inner = _put(properties, shape.within, {}) if shape.within else properties
    for name, value in resource.inputs.items():
        target = shape.properties.get(name, "?")
        if target is not None and target.startswith("/"):
            properties[target[1:]] = value
        else:
            _place(inner, name, value, name, shape, schema)
    return {"Type": shape.type, "Properties": properties}


@dataclass(frozen=True)
class _Schema:
    """A place in a resource's schema."""

    node: dict[str, Any]
    root: dict[str, Any]

    def _resolved(self) -> dict[str, Any]:
        node = self.node
        while "$ref" in node:
            node = self.root["definitions"][node["$ref"].rsplit("/", 1)[-1]]
        return node

    def properties(self) -> dict[str, Any]:
        """All properties of an object, of whichever variant."""
        node = self._resolved()
        found = dict(node.get("properties", {}))
        for variant in (*node.get("oneOf", []), *node.get("anyOf", [])):
            found |= _Schema(variant, self.root).properties()
        return found

    def types(self) -> set[str]:
        types = self._resolved().get("type", "object" if self.properties() else "any")
        return {types} if isinstance(types, str) else set(types)

    def at(self, path: str) -> "_Schema":
        schema = self
        for part in filter(None, path.split("/")):
            schema = _Schema(schema.properties()[part.removesuffix("[]")], self.root)
            if part.endswith("[]"):
                schema = schema.items()
        return schema

    def values(self) -> "_Schema":
        """The values of a map."""
        (values,) = self._resolved()["patternProperties"].values()
        return _Schema(values, self.root)

    def items(self) -> "_Schema":
        return _Schema(self._resolved().get("items", {}), self.root)


def _place(parent: dict[str, Any], name: str, value: Any, path: str, shape: _Shape, schema: _Schema) -> None:
    """Puts a property, translated, where CloudFormation has it."""
    alike = {known.lower(): known for known in schema.properties()}
    target = shape.properties.get(path, alike.get(name.lower(), "?"))
    if target is None:
        return
    if target == "":
        for child, child_value in value.items():
            _place(parent, child, child_value, f"{path}.{child}", shape, schema)
        return
    if target == "?":
        raise NoCounterpartError(
            f"{shape.type}: say in cloudformation.py where {path} is; it has {sorted(alike.values())}"
        )
    _put(parent, target, _value(value, path, shape, schema.at(target)))


def _put(parent: dict[str, Any], path: str, value: Any) -> Any:
    *steps, last = path.split("/")
    for step in steps:
        child: dict[str, Any] = {}
        if step.endswith("[]"):
            parent[step.removesuffix("[]")] = [child]
        else:
            child = parent.setdefault(step, child)
        parent = child
    parent[last.removesuffix("[]")] = [value] if last.endswith("[]") else value
    return value


def _value(value: Any, path: str, shape: _Shape, schema: _Schema) -> Any:
    if isinstance(value, list) and all(isinstance(item, str) for item in value) and schema.items().properties():
        return [_text(item, schema.items()) for item in value]
    if value is True and schema.types() == {"object"}:
        return {}
    if isinstance(value, list) and schema.types() == {"object"}:
        return {key: _value(item, path, shape, schema.values()) for key, item in map(_keyed, value)}
    if isinstance(value, list):
        return [_value(item, path, shape, schema.items()) for item in value]
    if isinstance(value, dict):
        if "array" in schema.types():
            return [{"Name": name, "Value": item} for name, item in value.items()]
        if not schema.properties():
            return value
        translated: dict[str, Any] = {}
        for name, item in value.items():
            _place(translated, name, item, f"{path}.{name}", shape, schema)
        return translated
    if isinstance(value, str) and "object" in schema.types() and re.match(r"\s*\{", value):
        return json.loads(value)
    return value


def _text(text: str, schema: _Schema) -> dict[str, str]:
    """A text that CloudFormation has as an object."""
    if schema.properties().keys() == {"Address", "SubscriptionType"}:
        return {"Address": text, "SubscriptionType": "SNS" if text.startswith("arn:") else "EMAIL"}
    (name,) = schema.properties()
    return {name: text}


def _keyed(item: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """An item of a list that CloudFormation has as a map: the key is the property whose name ends in `MapId`."""
    key = next((name for name in item if name.endswith("MapId")), None)
    if key is None:
        raise NoCounterpartError(f"an item of a map has no key, a property that ends in MapId; it has {sorted(item)}")
    return item[key], {name: value for name, value in item.items() if name != key}
