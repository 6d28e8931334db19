"""Builds what is deployed: the validator's Lambda package, the job's wheels and script, and the contracts.

No Docker: uv resolves wheels for the target's platform. The same sources give the same bytes, so that nothing
is deployed anew without a change, and a build is kept below `build/artefacts` and found again by its content.
"""

import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.packages import (
    ArtefactError,
    Target,
    distributions,
    install,
    locked,
    pack_wheel,
    required,
    zip_folder,
)
from components.plugins import folder_wheel, refuse_without_format, requirement
from components.sources import BUILDS, LOCK, ROOT, own_files, own_wheel
from formats.registry import OWN_PACKAGE
from runtime.contract_file import dump_contracts, load_contracts

LAMBDA_PYTHON = "3.13"
LAMBDA_DEPENDENCIES = ("backports-zstd", "orjson", "pluggy")
"""What the validator imports besides the standard library and the Lambda runtime's boto3."""

GLUE_DEPENDENCIES = ("python-calamine",)
"""What the job imports of our dependencies and Glue 6.0 doesn't bring: shipped as wheels beside ours."""

GLUE_BRINGS = ("boto3", "numpy", "orjson", "pandas", "pluggy", "pyarrow", "pytz", "pyyaml")
"""Of the modules that Glue 6.0 brings, those that plugins may lean on: they aren't shipped, whatever the version
(https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html)."""

PLATFORMS = ("arm64", "host")
"""What a Lambda package can be built for: AWS Lambda on Graviton, or this machine's Python for an emulator on it."""

_LAMBDA = Target("aarch64-manylinux_2_28", LAMBDA_PYTHON)
_GLUE = Target("x86_64-manylinux_2_34", "3.13")
_OURS = OWN_PACKAGE.replace("-", "_")


@dataclass(frozen=True)
class Plugins:
    """Formats to ship beside ours."""

    packages: Sequence[str] = ()
    """Packages with formats: requirements, or paths of wheels or of folders with a `pyproject.toml`."""

    folder: Path | None = None
    """A folder whose modules bring formats, and need no more than the platform brings."""


@dataclass(frozen=True)
class Artefacts:
    """The files to deploy; ours is the first of the wheels."""

    validator_package: Path
    wheels: Sequence[Path]
    job_script: Path
    contracts: Path


def build_artefacts(
    contracts: Path, platform: str, builds: Path = BUILDS, *, plugins: Plugins = Plugins()
) -> Artefacts:
    """Builds everything, or finds the build of the same sources, contracts, plugins and platform below `builds`.

    `platform` is one of `PLATFORMS`. What plugin packages need comes along, but not what the platform brings already.
    Raises ArtefactError when the platform isn't known, when uv is missing, when a wheel can't be had or a plugin
    brings no format, and ContractError when a contract has mistakes.
    """
    if platform not in PLATFORMS:
        raise ArtefactError(f"the Lambda platform is {platform!r}; allowed is one of {', '.join(PLATFORMS)}")
    contract_bytes = dump_contracts(load_contracts(contracts))
    folder = builds / _content_name(contract_bytes, platform, plugins)
    if not folder.exists():
        builds.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=builds) as scratch:
            built = Path(scratch, "built")
            _build(built, Path(scratch), contract_bytes, platform, plugins)
            _move_into_place(built, folder)
    own = next(folder.glob(f"{_OURS}-*.whl"))
    return Artefacts(
        validator_package=folder / "validator.zip",
        wheels=[own, *sorted(wheel for wheel in folder.glob("*.whl") if wheel != own)],
        job_script=ROOT / "runtime" / "glue_job.py",
        contracts=folder / "contracts.json",
    )


def object_key(kind: str, file: Path) -> str:
    """The key of an artefact in its bucket: another content has another key, and what runs keeps its own."""
    return f"{kind}/{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}/{file.name}"


def _content_name(contracts: bytes, platform: str, plugins: Plugins) -> str:
    digest = hashlib.sha256()
    for file in own_files():
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    for plugin in (*plugins.packages, *([str(plugins.folder)] if plugins.folder else [])):
        digest.update(f"{plugin}\0".encode())
        for file in _files(Path(plugin)):
            digest.update(f"{file.relative_to(plugin)}\0".encode() + file.read_bytes() + b"\0")
    digest.update(contracts)
    python = LAMBDA_PYTHON if platform == "arm64" else sys.version
    return f"{platform}-{hashlib.sha256(digest.digest() + python.encode()).hexdigest()[:16]}"


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (file for file in sorted(path.rglob("*")) if file.is_file() and file.suffix != ".pyc")


def _build(folder: Path, scratch: Path, contracts: bytes, platform: str, plugins: Plugins) -> None:
    folder.mkdir()
    (folder / "contracts.json").write_bytes(contracts)
    wheel = own_wheel(scratch, folder)
    requirements = [requirement(each, scratch / f"plugin-{number}") for number, each in enumerate(plugins.packages)]
    if plugins.folder:
        requirements.append(str(folder_wheel(plugins.folder, scratch / "folder")))
    host = Target()

    staged = scratch / "lambda"
    _install(wheel, LAMBDA_DEPENDENCIES, requirements, staged, _LAMBDA if platform == "arm64" else host)
    for each in requirements:
        refuse_without_format(each, staged)
    (staged / "contracts.json").write_bytes(contracts)
    zip_folder(staged, folder / "validator.zip")

    beside = scratch / "glue"
    target = _GLUE if platform == "arm64" else host
    _install(wheel, GLUE_DEPENDENCIES, requirements, beside, target, brought=GLUE_BRINGS)
    for metadata in distributions(beside):
        if not metadata.name.startswith(f"{_OURS}-"):
            pack_wheel(metadata, folder)


def _install(
    wheel: Path,
    needed: Sequence[str],
    plugins: Sequence[str],
    folder: Path,
    target: Target,
    brought: Sequence[str] = ("boto3",),
) -> None:
    """Installs for a target our wheel, what it needs there of its dependencies and no others, and plugins."""
    versions = locked(LOCK)
    missing = sorted(set(needed) - versions.keys())
    if missing:
        raise ArtefactError(f"{LOCK} doesn't lock {', '.join(missing)}: run `uv lock`")
    pinned = {name: versions[name] for name in needed}
    left_out = (required(wheel) | set(brought)) - pinned.keys()
    install([str(wheel), *needed, *plugins], folder, target, pinned=pinned, left_out=left_out)


def _move_into_place(built: Path, folder: Path) -> None:
    try:
        built.rename(folder)
    except OSError:
        # Another process has built the same content meanwhile.
        if not folder.exists():
            raise
