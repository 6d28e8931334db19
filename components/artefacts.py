"""Builds what is deployed: the validator's Lambda package, the job's wheels and script, and the contracts.

No Docker: uv resolves wheels for the target's platform. The same sources give the same bytes, so that nothing
is deployed anew without a change, and a build is kept below `build/artefacts` and found again by its content.
"""

import hashlib
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.packages import (
    ArtefactError,
    Target,
    build_wheel,
    distributions,
    install,
    locked,
    normalized,
    pack_wheel,
    zip_folder,
)
from formats.hookspecs import ENTRY_POINT_GROUP
from runtime.contract_file import dump_contracts, load_contracts

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ROOT / "build" / "artefacts"
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
_SOURCES = ("formats", "runtime", "pyproject.toml", "uv.lock", "README.md", "LICENSE")
_BUILDERS = ("components/artefacts.py", "components/packages.py")


@dataclass(frozen=True)
class Artefacts:
    """The files to deploy; ours is the first of the wheels."""

    validator_package: Path
    wheels: Sequence[Path]
    job_script: Path
    contracts: Path


def build_artefacts(contracts: Path, platform: str, builds: Path = BUILDS, *, plugins: Sequence[str] = ()) -> Artefacts:
    """Builds everything, or finds the build of the same sources, contracts, plugins and platform below `builds`.

    `platform` is one of `PLATFORMS`. `plugins` are packages with formats: requirements, or paths of wheels or of
    folders with a `pyproject.toml`. What they need comes along, but not what the platform brings already.
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
    own = next(folder.glob("retail_pipeline-*.whl"))
    return Artefacts(
        validator_package=folder / "validator.zip",
        wheels=[own, *sorted(wheel for wheel in folder.glob("*.whl") if wheel != own)],
        job_script=ROOT / "runtime" / "glue_job.py",
        contracts=folder / "contracts.json",
    )


def object_key(kind: str, file: Path) -> str:
    """The key of an artefact in its bucket: another content has another key, and what runs keeps its own."""
    return f"{kind}/{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}/{file.name}"


def _content_name(contracts: bytes, platform: str, plugins: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for source in (ROOT / name for name in (*_SOURCES, *_BUILDERS)):
        for file in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    for plugin in plugins:
        digest.update(f"{plugin}\0".encode())
        for file in _files(Path(plugin)):
            digest.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    digest.update(contracts)
    python = LAMBDA_PYTHON if platform == "arm64" else sys.version
    return f"{platform}-{hashlib.sha256(digest.digest() + python.encode()).hexdigest()[:16]}"


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (file for file in sorted(path.rglob("*")) if file.is_file() and file.suffix != ".pyc")


def _build(folder: Path, scratch: Path, contracts: bytes, platform: str, plugins: Sequence[str]) -> None:
    folder.mkdir()
    (folder / "contracts.json").write_bytes(contracts)
    wheel = build_wheel(ROOT, scratch / "wheel")
    shutil.copy(wheel, folder)
    requirements = [_requirement(plugin, scratch / f"plugin-{number}") for number, plugin in enumerate(plugins)]
    host = Target()

    staged = scratch / "lambda"
    _install([str(wheel), *LAMBDA_DEPENDENCIES, *requirements], staged, _LAMBDA if platform == "arm64" else host)
    for requirement in requirements:
        _refuse_without_format(requirement, staged)
    (staged / "contracts.json").write_bytes(contracts)
    zip_folder(staged, folder / "validator.zip")

    if requirements or GLUE_DEPENDENCIES:
        beside = scratch / "glue"
        target = _GLUE if platform == "arm64" else host
        _install([str(wheel), *GLUE_DEPENDENCIES, *requirements], beside, target, brought=GLUE_BRINGS)
        for metadata in distributions(beside):
            if not metadata.name.startswith("retail_pipeline-"):
                pack_wheel(metadata, folder)


def _install(requirements: Sequence[str], folder: Path, target: Target, brought: Sequence[str] = ("boto3",)) -> None:
    """Installs for a target what is required, and of our own dependencies no others."""
    versions = locked(ROOT / "uv.lock")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dependencies = {normalized(_name(dependency)) for dependency in project["dependencies"]}
    ours = {*LAMBDA_DEPENDENCIES, *GLUE_DEPENDENCIES}.intersection(requirements)
    missing = sorted(ours - versions.keys())
    if missing:
        raise ArtefactError(f"{ROOT / 'uv.lock'} doesn't lock {', '.join(missing)}: run `uv lock`")
    pinned = {name: versions[name] for name in ours}
    install(requirements, folder, target, pinned=pinned, left_out=(dependencies | set(brought)) - pinned.keys())


def _requirement(plugin: str, scratch: Path) -> str:
    """What uv is to install for a plugin: a source folder's wheel, or what was given."""
    path = Path(plugin)
    if path.is_dir():
        return str(build_wheel(path, scratch))
    return str(path.resolve()) if path.is_file() else plugin


def _refuse_without_format(requirement: str, staged: Path) -> None:
    name = normalized(_name(requirement))
    points = [each / "entry_points.txt" for each in distributions(staged) if normalized(_name(each.name)) == name]
    if any(f"[{ENTRY_POINT_GROUP}]" in file.read_text(encoding="utf-8") for file in points if file.is_file()):
        return
    raise ArtefactError(
        f"{Path(requirement).name} brings no format: its package has no entry point of the group {ENTRY_POINT_GROUP};"
        " see docs/formats.md, or take it out of formatPlugins"
    )


def _name(requirement: str) -> str:
    """The package's name in a requirement or in the name of a wheel or of a metadata folder."""
    if requirement.endswith((".whl", ".dist-info")):
        return Path(requirement).name.split("-")[0]
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def _move_into_place(built: Path, folder: Path) -> None:
    try:
        built.rename(folder)
    except OSError:
        # Another process has built the same content meanwhile.
        if not folder.exists():
            raise
