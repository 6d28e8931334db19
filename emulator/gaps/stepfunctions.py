"""Step Functions: every service call of a state machine is a real request with the state machine's role.

Also filled: the rights to deliver logs, `glue:startJobRun.sync`, StartExecution's idempotency, the 256 KiB limit
that no Catch catches, and the AWS/States metrics. Source: Step Functions Developer Guide, "Integrating services",
"Service quotas".
"""

import base64
import contextvars
import datetime
import json
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import cloudwatch
from ministack.services import stepfunctions as states

from emulator.gaps import glue_jobs, roles
from emulator.gaps.roles import RoleError, role_client

_DATA_LIMIT = 256 * 1024  # bytes of a state's input or output
_DATA_LIMIT_ERROR = "States.DataLimitExceeded"
_SERVICE = "states.amazonaws.com"
_LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
_OPTIMIZED = {"glue:startJobRun", "lambda:invoke", "sns:publish", "sqs:sendMessage", "events:putEvents"}
_API_NAMES = {"sfn": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs"}

_role: contextvars.ContextVar[str] = contextvars.ContextVar("role")


def fill() -> None:
    """Puts the functions below in place."""
    run_execution = states._run_execution
    start_execution = states._start_execution
    error_matches = states._error_matches

    def run_with_role(execution_arn: str) -> None:
        execution = states._executions[execution_arn]
        _role.set(states._state_machines[execution["stateMachineArn"]]["roleArn"])
        run_execution(execution_arn)
        _count(execution)

    def start(request: dict[str, Any]) -> Any:
        if len(request.get("input", "").encode()) > _DATA_LIMIT:
            message = f"The input is longer than {_DATA_LIMIT} bytes"
            return error_response_json("InvalidExecutionInput", message, 400)
        return _same_running_execution(request) or start_execution(request)

    def matches(names: list[str], error: str) -> bool:
        return error != _DATA_LIMIT_ERROR and bool(error_matches(names, error))

    create_machine = states._create_state_machine

    def create(request: dict[str, Any]) -> Any:
        return _no_right_to_log(request) or create_machine(request)

    states._create_state_machine = create
    states._run_execution = run_with_role
    states._start_execution = start
    states._error_matches = matches
    states._invoke_resource = _invoke


def _no_right_to_log(request: dict[str, Any]) -> Any:
    """AWS's answer when the role of a state machine may not set up the delivery of its logs.

    Source: Step Functions Developer Guide, "Using CloudWatch Logs to log execution history".
    """
    if not request.get("loggingConfiguration", {}).get("destinations"):
        return None
    try:
        roles.require(request["roleArn"], _LOG_DELIVERY, "*")
    except RoleError as error:
        message = f"The state machine IAM Role is not authorized to access the Log Destination: {error}"
        return error_response_json("AccessDeniedException", message, 400)
    return None


def _same_running_execution(request: dict[str, Any]) -> Any:
    """The answer to a repeated StartExecution: same name, same input, still running."""
    machine = str(request.get("stateMachineArn", "")).rpartition(":")[2]
    arn = f"arn:aws:states:{get_region()}:{get_account_id()}:execution:{machine}:{request.get('name')}"
    execution = states._executions.get(arn)
    if execution and execution["status"] == "RUNNING" and execution["input"] == request.get("input", "{}"):
        return json_response({"executionArn": arn, "startDate": execution["startDate"]})
    return None


def _count(execution: dict[str, Any]) -> None:
    metric = {"SUCCEEDED": "ExecutionsSucceeded", "FAILED": "ExecutionsFailed", "ABORTED": "ExecutionsAborted"}
    name = metric.get(execution["status"])
    if name:
        machine = {"StateMachineArn": execution["stateMachineArn"]}
        cloudwatch.record_metric("AWS/States", name, 1, "Count", machine)


def _invoke(resource: str, arguments: Any) -> Any:
    _limit(arguments)
    if ":function:" in resource and resource.startswith("arn:aws:lambda:"):
        result = _invoke_function({"FunctionName": resource, "Payload": arguments})["Payload"]
    else:
        result = _call_service(resource, arguments)
    _limit(result)
    return result


def _limit(data: Any) -> None:
    if len(json.dumps(data).encode()) > _DATA_LIMIT:
        raise states._ExecutionError(_DATA_LIMIT_ERROR, f"The state's data is longer than {_DATA_LIMIT} bytes")


def _call_service(resource: str, arguments: dict[str, Any]) -> Any:
    """Calls what `arn:aws:states:::` names: `aws-sdk:<service>:<action>` or an optimized integration."""
    integration, _, pattern = resource.removeprefix("arn:aws:states:::").partition(".")
    if integration.startswith("aws-sdk:") and not pattern:
        _, service, action = integration.split(":")
        return _call(service, action, arguments)
    if integration not in _OPTIMIZED or pattern not in ("", "sync"):
        raise states._ExecutionError("States.Runtime", f"{resource} isn't emulated")
    if integration == "lambda:invoke":
        return _invoke_function(arguments)
    service, action = integration.split(":")
    result = _call(service, action, arguments)
    if pattern == "sync":
        return _finished_run(arguments["JobName"], result["JobRunId"])
    return result


def _call(service: str, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
    api = _API_NAMES.get(service, service)
    operation = action[:1].upper() + action[1:]
    prefix = states._AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
    try:
        client = _client(api)
        shape = client.meta.service_model.operation_model(operation).input_shape
        members = {name.lower(): name for name in shape.members} if shape else {}
        request = {members.get(name.lower(), name): _text(value) for name, value in arguments.items()}
        response = getattr(client, xform_name(operation))(**request)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        name = code if code.endswith("Exception") else f"{code}Exception"
        raise states._ExecutionError(f"{prefix}.{name}", str(error)) from error
    except BotoCoreError as error:
        raise states._ExecutionError("States.Runtime", str(error)) from error
    response.pop("ResponseMetadata")
    return {name: _plain(value) for name, value in response.items()}


def _client(api: str) -> Any:
    try:
        return role_client(_role.get(), _SERVICE, "state-machine", api)
    except RoleError as error:
        raise states._ExecutionError("States.Runtime", str(error)) from error


def _text(value: Any) -> Any:
    """JSON numbers come from JSONata as floats; the APIs tell whole numbers from others."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(value: Any) -> Any:
    """A response as JSON: a body as text, a time as ISO 8601."""
    if isinstance(value, StreamingBody):
        return value.read().decode()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _invoke_function(arguments: dict[str, Any]) -> dict[str, Any]:
    payload = arguments.get("Payload", {})
    result = _call("lambda", "invoke", arguments | {"Payload": json.dumps(payload)})
    result["Payload"] = json.loads(result["Payload"])
    if "FunctionError" in result:
        cause = result["Payload"]
        raise states._ExecutionError(cause.get("errorType", "Lambda.Unknown"), json.dumps(cause))
    return result


def _finished_run(job: str, run_id: str) -> dict[str, Any]:
    """The job run once it has ended; a run that didn't succeed is the error States.TaskFailed."""
    glue_jobs.wait_for(job, run_id)
    run: dict[str, Any] = _call("glue", "getJobRun", {"JobName": job, "RunId": run_id})["JobRun"]
    if run["JobRunState"] != "SUCCEEDED":
        raise states._ExecutionError("States.TaskFailed", json.dumps(run))
    return run
