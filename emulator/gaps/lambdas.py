"""Lambda: functions run with what Lambda preinstalls and what their archive brings, and with their role's rights.

Those are needed to take messages from a queue and to write logs too, which Lambda does in the role's name. Sources:
AWS Lambda Developer Guide, "Using Lambda with Amazon SQS" (the three actions), "Viewing CloudWatch logs".
"""

import os
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

from emulator.gaps import packages, roles

_RECEIVING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def fill() -> None:
    """Puts the functions below around ministack's."""
    _start_with_lambda_s_packages()
    _receive_as_the_role()
    _log_as_the_role()


def _start_with_lambda_s_packages() -> None:
    """Makes workers for Python functions start with Lambda's packages instead of this environment's."""
    detect = lambda_runtime._detect_runtime_binary
    launcher = packages.interpreter(packages.LAMBDA)
    os.environ["PYTHONPATH"] = packages.python_path(packages.LAMBDA)  # workers inherit the environment

    def detect_runtime_binary(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (str(launcher) if runtime.startswith("python") else binary), script

    lambda_runtime._detect_runtime_binary = detect_runtime_binary


def _receive_as_the_role() -> None:
    """A mapping whose function may not receive takes no batch, and says so."""
    concurrency = lambda_svc._sqs_esm_concurrency

    def concurrency_of_those_who_may(
        mapping: dict[str, Any], function: dict[str, Any], config: dict[str, Any], queue: Any = None
    ) -> int:
        try:
            roles.require(config["Role"], _RECEIVING, mapping["EventSourceArn"])
        except roles.RoleError as error:
            mapping["LastProcessingResult"] = f"PROBLEM: {error}"
            return 0
        return int(concurrency(mapping, function, config, queue))

    lambda_svc._sqs_esm_concurrency = concurrency_of_those_who_may


def _log_as_the_role() -> None:
    """As in AWS, the logs of a function that may not write them are lost."""
    emit = lambda_svc._emit_lambda_logs

    def emit_for_those_who_may(function: dict[str, Any], *arguments: Any, **named: Any) -> None:
        config = function.get("config") or function
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
        stream = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:log-stream:any"
        try:
            roles.require(config["Role"], ("logs:CreateLogStream", "logs:PutLogEvents"), stream)
        except roles.RoleError:
            return
        emit(function, *arguments, **named)

    lambda_svc._emit_lambda_logs = emit_for_those_who_may
