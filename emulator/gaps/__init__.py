"""What ministack doesn't do of what AWS does, one module for each service.

Every module has a `fill()` that puts its functions in the place of ministack's own. They reach into its
inner parts, so the version is pinned and checked.
"""

import importlib.metadata

_VERSION = "1.5.33"


def fill_all() -> None:
    """Fills every gap; for the server's process, before it serves.

    Raises ImportError when the installed ministack isn't the version that the gaps were made for.
    """
    installed = importlib.metadata.version("ministack")
    if installed != _VERSION:
        raise ImportError(f"the emulator needs ministack {_VERSION}, found {installed}: run `uv sync`")

    from emulator.gaps import access, athena, cloudwatch, crawler, events, glue_jobs, lambdas, s3, stepfunctions

    for gap in (access, athena, cloudwatch, crawler, events, glue_jobs, lambdas, s3, stepfunctions):
        gap.fill()
