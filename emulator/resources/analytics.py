"""Resource types of Glue and Athena."""

from typing import Any

from emulator.clients import ACCOUNT, REGION
from emulator.resources.inputs import Inputs, ResourceError, members
from emulator.resources.registry import Clients, Created

_ARN = f"arn:aws:glue:{REGION}:{ACCOUNT}:"


def database(aws: Clients, inputs: Inputs) -> Created:
    name = inputs["name"]
    request = inputs.request(Description="description", LocationUri="locationUri", Parameters="parameters")
    aws("glue").create_database(DatabaseInput={"Name": name, **request})
    return f"{ACCOUNT}:{name}", {"arn": f"{_ARN}database/{name}", "catalogId": ACCOUNT}


def table(aws: Clients, inputs: Inputs) -> Created:
    database_name, name = inputs["databaseName"], inputs["name"]
    request = inputs.request(
        Description="description",
        TableType="tableType",
        Parameters="parameters",
        ViewOriginalText="viewOriginalText",
        ViewExpandedText="viewExpandedText",
    )
    request["PartitionKeys"] = members(inputs.optional("partitionKeys", []))
    descriptor = members(inputs["storageDescriptor"], {"serDeInfo": "SerdeInfo"}, maps={"parameters"})
    request["StorageDescriptor"] = descriptor
    aws("glue").create_table(DatabaseName=database_name, TableInput={"Name": name, **request})
    return f"{ACCOUNT}:{database_name}:{name}", {"arn": f"{_ARN}table/{database_name}/{name}"}


def security_configuration(aws: Clients, inputs: Inputs) -> Created:
    names = {
        "cloudwatchEncryption": "CloudWatchEncryption",
        "cloudwatchEncryptionMode": "CloudWatchEncryptionMode",
        "s3EncryptionMode": "S3EncryptionMode",
    }
    configuration = members(inputs["encryptionConfiguration"], names)
    configuration["S3Encryption"] = [configuration["S3Encryption"]]
    aws("glue").create_security_configuration(Name=inputs["name"], EncryptionConfiguration=configuration)
    return inputs["name"], {}


def crawler(aws: Clients, inputs: Inputs) -> Created:
    inputs.set_aside("no schedule runs here: start the crawler", "schedule")
    targets: dict[str, Any] = members({name: inputs.optional(name) for name in ("catalogTargets", "s3Targets")})
    request = inputs.request(
        Description="description",
        TablePrefix="tablePrefix",
        Configuration="configuration",
        CrawlerSecurityConfiguration="securityConfiguration",
    )
    for name in ("schemaChangePolicy", "recrawlPolicy", "lineageConfiguration"):
        if inputs.optional(name):
            request |= members({name: inputs[name]})
    aws("glue").create_crawler(
        Name=inputs["name"],
        Role=inputs["role"],
        DatabaseName=inputs["databaseName"],
        Targets=targets,
        **request,
    )
    return inputs["name"], {"arn": f"{_ARN}crawler/{inputs['name']}"}


def job(aws: Clients, inputs: Inputs) -> Created:
    if inputs.optional("maxRetries", 0):
        raise ResourceError(f"{inputs.resource}: maxRetries isn't emulated; the state machine can retry")
    request = inputs.request(
        Description="description",
        GlueVersion="glueVersion",
        WorkerType="workerType",
        NumberOfWorkers="numberOfWorkers",
        Timeout="timeout",
        ExecutionClass="executionClass",
        JobRunQueuingEnabled="jobRunQueuingEnabled",
        DefaultArguments="defaultArguments",
        NonOverridableArguments="nonOverridableArguments",
    )
    if inputs.optional("executionProperty"):
        request |= members({"executionProperty": inputs["executionProperty"]})
    command = members(inputs["command"])
    aws("glue").create_job(Name=inputs["name"], Role=inputs["roleArn"], Command=command, **request)
    return inputs["name"], {"arn": f"{_ARN}job/{inputs['name']}"}


def workgroup(aws: Clients, inputs: Inputs) -> Created:
    inputs.set_aside("workgroups go with the server", "forceDestroy")
    names = {
        "enforceWorkgroupConfiguration": "EnforceWorkGroupConfiguration",
        "publishCloudwatchMetricsEnabled": "PublishCloudWatchMetricsEnabled",
        "kmsKeyArn": "KmsKey",
    }
    configuration = members(inputs["configuration"], names)
    request = inputs.request(Description="description")
    aws("athena").create_work_group(Name=inputs["name"], Configuration=configuration, **request)
    return inputs["name"], {"arn": f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{inputs['name']}"}


def named_query(aws: Clients, inputs: Inputs) -> Created:
    created = aws("athena").create_named_query(
        Name=inputs["name"],
        Database=inputs["database"],
        QueryString=inputs["query"],
        **inputs.request(Description="description", WorkGroup="workgroup"),
    )
    return created["NamedQueryId"], {}


RESOURCES = {
    "aws:glue/catalogDatabase:CatalogDatabase": database,
    "aws:glue/catalogTable:CatalogTable": table,
    "aws:glue/securityConfiguration:SecurityConfiguration": security_configuration,
    "aws:glue/crawler:Crawler": crawler,
    "aws:glue/job:Job": job,
    "aws:athena/workgroup:Workgroup": workgroup,
    "aws:athena/namedQuery:NamedQuery": named_query,
}
