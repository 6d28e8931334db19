"""Resource types of services that the AWS on this machine doesn't have: the request for each, as AWS takes it.

What moto has is created in moto. For the rest no double exists: botocore holds the request against the service's
model, enumerations included, and nothing is sent; `test_schemas` holds the same inputs against CloudFormation's
schemas.
"""

from typing import Any

import boto3
import moto
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from emulator.clients import ACCOUNT, REGION
from emulator.resources.enums import refuse_unknown_words
from emulator.resources.inputs import Inputs, members
from emulator.resources.registry import Clients, Created, Creator


def lf_resource(aws: Clients, inputs: Inputs) -> Created:
    request = inputs.request(
        ResourceArn="arn",
        RoleArn="roleArn",
        UseServiceLinkedRole="useServiceLinkedRole",
        HybridAccessEnabled="hybridAccessEnabled",
    )
    aws("lakeformation").register_resource(**request)
    return inputs["arn"], {}


def lf_tag(aws: Clients, inputs: Inputs) -> Created:
    aws("lakeformation").create_lf_tag(TagKey=inputs["key"], TagValues=inputs["values"])
    return f"{ACCOUNT}:{inputs['key']}", {}


def lf_tags_of_resource(aws: Clients, inputs: Inputs) -> Created:
    tags = [
        {"CatalogId": tag["catalogId"], "TagKey": tag["key"], "TagValues": [tag["value"]]} for tag in inputs["lfTags"]
    ]
    answer = aws("lakeformation").add_lf_tags_to_resource(Resource=_lf_resource(inputs), LFTags=tags)
    assert not answer.get("Failures")
    return inputs.name, {}


def lf_permissions(aws: Clients, inputs: Inputs) -> Created:
    aws("lakeformation").grant_permissions(
        Principal={"DataLakePrincipalIdentifier": inputs["principal"]},
        Resource=_lf_resource(inputs),
        Permissions=inputs["permissions"],
    )
    return inputs.name, {}


def _lf_resource(inputs: Inputs) -> dict[str, Any]:
    resource = {
        name[0].upper() + name[1:]: members(inputs[name])
        for name in ("database", "table", "dataCellsFilter")
        if inputs.optional(name)
    }
    policy = inputs.optional("lfTagPolicy")
    if policy:
        expression = [{"TagKey": each["key"], "TagValues": each["values"]} for each in policy["expressions"]]
        resource["LFTagPolicy"] = {
            "CatalogId": policy["catalogId"],
            "ResourceType": policy["resourceType"],
            "Expression": expression,
        }
    return resource


def lf_cells_filter(aws: Clients, inputs: Inputs) -> Created:
    aws("lakeformation").create_data_cells_filter(TableData=members(inputs["tableData"]))
    return inputs.name, {}


def lf_opt_in(aws: Clients, inputs: Inputs) -> Created:
    [principal], [resource] = members(inputs["principals"]), members(inputs["resourceDatas"])
    aws("lakeformation").create_lake_formation_opt_in(Principal=principal, Resource=resource)
    return inputs.name, {}


def data_source(aws: Clients, inputs: Inputs) -> Created:
    created = aws("quicksight").create_data_source(
        AwsAccountId=ACCOUNT,
        DataSourceId=inputs["dataSourceId"],
        Name=inputs["name"],
        Type=inputs["type"],
        DataSourceParameters={"AthenaParameters": members(inputs["parameters"]["athena"])},
        SslProperties=members(inputs["sslProperties"]),
        Permissions=members(inputs["permissions"]),
    )
    return f"{ACCOUNT},{inputs['dataSourceId']}", {"arn": created["Arn"]}


def data_set(aws: Clients, inputs: Inputs) -> Created:
    tables = {table.pop("PhysicalTableMapId"): table for table in members(inputs["physicalTableMaps"])}
    created = aws("quicksight").create_data_set(
        AwsAccountId=ACCOUNT,
        DataSetId=inputs["dataSetId"],
        Name=inputs["name"],
        ImportMode=inputs["importMode"],
        PhysicalTableMap=tables,
        Permissions=members(inputs["permissions"]),
    )
    return f"{ACCOUNT},{inputs['dataSetId']}", {"arn": created["Arn"]}


def refresh_schedule(aws: Clients, inputs: Inputs) -> Created:
    schedule = {"ScheduleId": inputs["scheduleId"], **members(inputs["schedule"])}
    names = {"AwsAccountId": ACCOUNT, "DataSetId": inputs["dataSetId"]}
    aws("quicksight").create_refresh_schedule(**names, Schedule=schedule)
    return inputs.name, {}


def feature_group(aws: Clients, inputs: Inputs) -> Created:
    created = aws("sagemaker").create_feature_group(
        FeatureGroupName=inputs["featureGroupName"],
        RecordIdentifierFeatureName=inputs["recordIdentifierFeatureName"],
        EventTimeFeatureName=inputs["eventTimeFeatureName"],
        FeatureDefinitions=members(inputs["featureDefinitions"]),
        OfflineStoreConfig=members(inputs["offlineStoreConfig"]),
        **inputs.request(Description="description", RoleArn="roleArn"),
    )
    return inputs["featureGroupName"], {"arn": created["FeatureGroupArn"]}


def sql_statement(aws: Clients, inputs: Inputs) -> Created:
    request = inputs.request(Sql="sql", Database="database", WorkgroupName="workgroupName")
    return aws("redshift-data").execute_statement(**request)["Id"], {}


_NAMESPACE = "adminUsername dbName defaultIamRoleArn iamRoles logExports manageAdminPassword namespaceName"
_WORKGROUP = (
    "baseCapacity configParameters enhancedVpcRouting namespaceName publiclyAccessible securityGroupIds subnetIds "
    "workgroupName"
)
_USAGE_LIMIT = "amount breachAction period resourceArn usageType"


def namespace(aws: Clients, inputs: Inputs) -> Created:
    aws("redshift-serverless").create_namespace(**_alike(inputs, _NAMESPACE))
    return inputs["namespaceName"], {}


def workgroup(aws: Clients, inputs: Inputs) -> Created:
    name = inputs["workgroupName"]
    aws("redshift-serverless").create_workgroup(**_alike(inputs, _WORKGROUP))
    return name, {"arn": f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/{name}"}


def usage_limit(aws: Clients, inputs: Inputs) -> Created:
    aws("redshift-serverless").create_usage_limit(**_alike(inputs, _USAGE_LIMIT))
    return inputs.name, {}


def _alike(inputs: Inputs, names: str) -> dict[str, Any]:
    """Redshift Serverless names all members as Pulumi does."""
    return inputs.request(**{name: name for name in names.split()})


_CHANNEL = {
    "ConfigurationName": "configurationName",
    "IamRoleArn": "iamRoleArn",
    "SnsTopicArns": "snsTopicArns",
    "LoggingLevel": "loggingLevel",
    "GuardrailPolicyArns": "guardrailPolicyArns",
    "UserAuthorizationRequired": "userAuthorizationRequired",
}


def slack_channel(aws: Clients, inputs: Inputs) -> Created:
    request = inputs.request(**_CHANNEL, SlackTeamId="slackTeamId", SlackChannelId="slackChannelId")
    aws("chatbot").create_slack_channel_configuration(**request)
    return inputs["configurationName"], {}


def teams_channel(aws: Clients, inputs: Inputs) -> Created:
    request = inputs.request(**_CHANNEL, ChannelId="channelId", TeamId="teamId", TenantId="tenantId")
    aws("chatbot").create_microsoft_teams_channel_configuration(**request)
    return inputs["configurationName"], {}


IN_MOTO: dict[str, Creator] = {
    "aws:lakeformation/lfTag:LfTag": lf_tag,
    "aws:lakeformation/permissions:Permissions": lf_permissions,
    "aws:lakeformation/resource:Resource": lf_resource,
    "aws:lakeformation/resourceLfTags:ResourceLfTags": lf_tags_of_resource,
    "aws:quicksight/dataSet:DataSet": data_set,
    "aws:quicksight/dataSource:DataSource": data_source,
    "aws:redshiftdata/statement:Statement": sql_statement,
    "aws:sagemaker/featureGroup:FeatureGroup": feature_group,
}

NOWHERE: dict[str, Creator] = {
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": slack_channel,
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration": teams_channel,
    "aws:lakeformation/dataCellsFilter:DataCellsFilter": lf_cells_filter,
    "aws:lakeformation/optIn:OptIn": lf_opt_in,
    "aws:quicksight/refreshSchedule:RefreshSchedule": refresh_schedule,
    "aws:redshiftserverless/namespace:Namespace": namespace,
    "aws:redshiftserverless/usageLimit:UsageLimit": usage_limit,
    "aws:redshiftserverless/workgroup:Workgroup": workgroup,
}
"""Neither the AWS on this machine nor moto has these operations."""


def elsewhere() -> dict[str, tuple[Creator, Clients]]:
    """Both kinds, with the clients they take; moto starts empty and goes with this process."""
    moto.mock_aws().start()
    in_moto: dict[str, tuple[Creator, Clients]] = {type_: (creator, _client) for type_, creator in IN_MOTO.items()}
    return in_moto | {type_: (creator, _silent_client) for type_, creator in NOWHERE.items()}


def _client(service: str) -> Any:
    client: Any = boto3.client(service, region_name=REGION)
    refuse_unknown_words(client)
    return client


def _silent_client(service: str) -> Any:
    """A client whose requests are made and checked, and go nowhere."""
    client = _client(service)
    client.meta.events.register("before-call", _answer)
    return client


def _answer(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
    return AWSResponse("", 200, HTTPHeaders(), b""), {}
