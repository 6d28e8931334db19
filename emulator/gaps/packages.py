"""What functions and jobs can import besides what they bring: what AWS preinstalls, and not this checkout.

Python runs with `-S`, so that nothing of this environment's site-packages is found but the folder of links
made here; a package missing from a Lambda archive or a wheel is missing here as it is in AWS.
"""

import functools
import importlib.metadata
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

_BOTO = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
LAMBDA = _BOTO
"""The Python runtime of Lambda. Source: Lambda Developer Guide, "Runtime-included SDK versions"."""
GLUE = (*_BOTO, "pyarrow", "orjson", "pluggy", "numpy", "pandas", "pytz", "tzdata")
"""Of AWS Glue 6.0's preinstalled Python modules, those that our jobs may use, where installed here."""


@functools.cache
def folder(distributions: Sequence[str]) -> Path:
    """A folder of links to the distributions, for PYTHONPATH."""
    target = Path(tempfile.mkdtemp(prefix="packages-"))
    for name in distributions:
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # numpy and pandas are there only for comparisons
        entries = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
        for entry in entries:
            source = Path(str(distribution.locate_file(entry)))
            if source.exists():
                (target / entry).symlink_to(source)
    return target


def interpreter(distributions: Sequence[str]) -> Path:
    """An executable that is this Python with nothing installed but the distributions."""
    path = folder(distributions) / "python"
    if not path.exists():
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
        path.chmod(0o700)
    return path


def python_path(distributions: Sequence[str], *first: Path) -> str:
    """PYTHONPATH with the given folders before the distributions."""
    return ":".join(str(path) for path in (*first, folder(distributions)))
