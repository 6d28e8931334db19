"""Resource types of IAM, Lambda and Step Functions."""

from typing import Any

from emulator.resources.inputs import Inputs, members
from emulator.resources.registry import Clients, Created
from emulator.resources.storage import asset_bytes


def role(aws: Clients, inputs: Inputs) -> Created:
    created = aws("iam").create_role(
        RoleName=inputs["name"],
        AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
        **inputs.request(
            Description="description",
            Path="path",
            MaxSessionDuration="maxSessionDuration",
            PermissionsBoundary="permissionsBoundary",
        ),
    )["Role"]
    return inputs["name"], {"arn": created["Arn"], "uniqueId": created["RoleId"]}


def role_policy(aws: Clients, inputs: Inputs) -> Created:
    names = {"RoleName": inputs["role"], "PolicyName": inputs["name"]}
    aws("iam").put_role_policy(**names, PolicyDocument=inputs["policy"])
    return f"{inputs['role']}:{inputs['name']}", {}


def function(aws: Clients, inputs: Inputs) -> Created:
    inputs.set_aside("tells Pulumi when to deploy again; here it is always once", "sourceCodeHash")
    client = aws("lambda")
    code = inputs.request(S3Bucket="s3Bucket", S3Key="s3Key", S3ObjectVersion="s3ObjectVersion")
    if inputs.optional("code"):
        code["ZipFile"] = asset_bytes(inputs["code"], inputs.resource)
    request = inputs.request(
        Description="description",
        Architectures="architectures",
        MemorySize="memorySize",
        Timeout="timeout",
        KMSKeyArn="kmsKeyArn",
    )
    for name in ("loggingConfig", "tracingConfig", "deadLetterConfig", "ephemeralStorage"):
        if inputs.optional(name):
            request |= members({name: inputs[name]})
    if inputs.optional("environment"):
        request["Environment"] = members(inputs["environment"], maps={"variables"})
    created = client.create_function(
        FunctionName=inputs["name"],
        Role=inputs["role"],
        Runtime=inputs["runtime"],
        Handler=inputs["handler"],
        Code=code,
        **request,
    )
    if inputs.optional("reservedConcurrentExecutions", -1) >= 0:
        client.put_function_concurrency(
            FunctionName=inputs["name"],
            ReservedConcurrentExecutions=inputs["reservedConcurrentExecutions"],
        )
    client.get_waiter("function_active_v2").wait(FunctionName=inputs["name"], WaiterConfig={"Delay": 1})
    return inputs["name"], {"arn": created["FunctionArn"], "version": created["Version"]}


def event_source_mapping(aws: Clients, inputs: Inputs) -> Created:
    request = inputs.request(
        EventSourceArn="eventSourceArn",
        FunctionName="functionName",
        BatchSize="batchSize",
        MaximumBatchingWindowInSeconds="maximumBatchingWindowInSeconds",
        FunctionResponseTypes="functionResponseTypes",
        Enabled="enabled",
    )
    if inputs.optional("scalingConfig"):
        request |= members({"scalingConfig": inputs["scalingConfig"]})
    created = aws("lambda").create_event_source_mapping(**request)
    return created["UUID"], {"uuid": created["UUID"], "arn": created.get("EventSourceMappingArn", "")}


def permission(aws: Clients, inputs: Inputs) -> Created:
    statement = inputs.optional("statementId", inputs.name)
    aws("lambda").add_permission(
        FunctionName=inputs["function"],
        StatementId=statement,
        Action=inputs["action"],
        Principal=inputs["principal"],
        **inputs.request(SourceArn="sourceArn", SourceAccount="sourceAccount"),
    )
    return statement, {"statementId": statement}


def state_machine(aws: Clients, inputs: Inputs) -> Created:
    request = inputs.request(type="type", tracingConfiguration="tracingConfiguration")
    if inputs.optional("loggingConfiguration"):
        request["loggingConfiguration"] = _logging(dict(inputs["loggingConfiguration"]))
    created = aws("stepfunctions").create_state_machine(
        name=inputs["name"], roleArn=inputs["roleArn"], definition=inputs["definition"], **request
    )
    return created["stateMachineArn"], {"arn": created["stateMachineArn"]}


def _logging(configuration: dict[str, Any]) -> dict[str, Any]:
    group = configuration.pop("logDestination")
    return configuration | {"destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]}


RESOURCES = {
    "aws:iam/role:Role": role,
    "aws:iam/rolePolicy:RolePolicy": role_policy,
    "aws:lambda/function:Function": function,
    "aws:lambda/eventSourceMapping:EventSourceMapping": event_source_mapping,
    "aws:lambda/permission:Permission": permission,
    "aws:sfn/stateMachine:StateMachine": state_machine,
}
