"""Lambda: functions run with what Lambda preinstalls and what their archive brings."""

import os

from ministack.core import lambda_runtime

from emulator.gaps import packages


def fill() -> None:
    """Makes workers for Python functions start with Lambda's packages instead of this environment's."""
    detect = lambda_runtime._detect_runtime_binary
    launcher = packages.interpreter(packages.LAMBDA)
    os.environ["PYTHONPATH"] = packages.python_path(packages.LAMBDA)  # workers inherit the environment

    def detect_runtime_binary(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (str(launcher) if runtime.startswith("python") else binary), script

    lambda_runtime._detect_runtime_binary = detect_runtime_binary
