"""Builds what is deployed: the validator's Lambda package, the wheel, the job's script and the contracts.

No Docker: uv resolves wheels for the target's platform. The same sources give the same bytes, so that nothing
is deployed anew without a change, and a build is kept below `build/artefacts` and found again by its content.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from runtime.contract_file import dump_contracts, load_contracts

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ROOT / "build" / "artefacts"
LAMBDA_PYTHON = "3.13"
LAMBDA_DEPENDENCIES = ("backports-zstd", "orjson", "pluggy")
"""What the validator imports besides the standard library and the Lambda runtime's boto3."""

PLATFORMS = ("arm64", "host")
"""What a Lambda package can be built for: AWS Lambda on Graviton, or this machine's Python for an emulator on it."""

_SOURCES = ("formats", "runtime", "pyproject.toml", "uv.lock", "README.md", "LICENSE")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNWANTED = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json", ".lock"}


class ArtefactError(Exception):
    """Something can't be built; says what, why and what to do about it."""


@dataclass(frozen=True)
class Artefacts:
    """The files to deploy."""

    validator_package: Path
    wheel: Path
    job_script: Path
    contracts: Path


def build_artefacts(contracts: Path, platform: str, builds: Path = BUILDS) -> Artefacts:
    """Builds everything, or finds the build of the same sources, contracts and platform below `builds`.

    `platform` is one of `PLATFORMS`. Raises ArtefactError when it isn't, when uv is missing or when a build
    fails, and ContractError when a contract has mistakes.
    """
    if platform not in PLATFORMS:
        raise ArtefactError(f"the Lambda platform is {platform!r}; allowed is one of {', '.join(PLATFORMS)}")
    contract_bytes = dump_contracts(load_contracts(contracts))
    folder = builds / _content_name(contract_bytes, platform)
    if not folder.exists():
        builds.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=builds) as scratch:
            built = Path(scratch, "built")
            _build(built, Path(scratch), contract_bytes, platform)
            _move_into_place(built, folder)
    (wheel,) = folder.glob("*.whl")
    return Artefacts(
        validator_package=folder / "validator.zip",
        wheel=wheel,
        job_script=ROOT / "runtime" / "glue_job.py",
        contracts=folder / "contracts.json",
    )


def object_key(kind: str, file: Path) -> str:
    """The key of an artefact in its bucket: another content has another key, and what runs keeps its own."""
    return f"{kind}/{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}/{file.name}"


def _content_name(contracts: bytes, platform: str) -> str:
    digest = hashlib.sha256()
    for source in (ROOT / name for name in (*_SOURCES, "components/artefacts.py")):
        for file in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    digest.update(contracts)
    python = LAMBDA_PYTHON if platform == "arm64" else sys.version
    return f"{platform}-{hashlib.sha256(digest.digest() + python.encode()).hexdigest()[:16]}"


def _build(folder: Path, scratch: Path, contracts: bytes, platform: str) -> None:
    folder.mkdir()
    (folder / "contracts.json").write_bytes(contracts)
    _uv("build", "--wheel", "--out-dir", str(scratch / "wheel"), str(ROOT))
    (wheel,) = (scratch / "wheel").glob("*.whl")
    staged = scratch / "staged"
    target = (
        ["--python-platform", "aarch64-manylinux_2_28", "--python-version", LAMBDA_PYTHON]
        if platform == "arm64"
        else ["--python", sys.executable]
    )
    _uv(
        *("pip", "install", "--no-deps", "--only-binary", ":all:", "--target", str(staged), *target),
        *(str(wheel), *_locked(LAMBDA_DEPENDENCIES)),
    )
    shutil.copy(folder / "contracts.json", staged)
    shutil.copy(wheel, folder)
    _zip(staged, folder / "validator.zip")


def _move_into_place(built: Path, folder: Path) -> None:
    try:
        built.rename(folder)
    except OSError:
        # Another process has built the same content meanwhile.
        if not folder.exists():
            raise


def _locked(packages: tuple[str, ...]) -> list[str]:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    versions = {package["name"]: package["version"] for package in lock["package"] if "version" in package}
    missing = [name for name in packages if name not in versions]
    if missing:
        raise ArtefactError(f"{ROOT / 'uv.lock'} doesn't lock {', '.join(missing)}: run `uv lock`")
    return [f"{name}=={versions[name]}" for name in packages]


def _uv(*arguments: str) -> None:
    # The wheel's files get this date instead of today's (https://reproducible-builds.org/specs/source-date-epoch/).
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}
    command = [_find_uv(), "--quiet", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ArtefactError(f"`{' '.join(command)}` failed with exit code {done.returncode}:\n{done.stderr}")


def _find_uv() -> str:
    if importlib.util.find_spec("uv"):
        import uv

        return str(uv.find_uv_bin())
    found = shutil.which("uv")
    if not found:
        raise ArtefactError(
            "uv, which builds the Lambda package, is neither installed nor on the PATH:"
            " install it as https://docs.astral.sh/uv/getting-started/installation/ says"
        )
    return found


def _zip(folder: Path, target: Path) -> None:
    """Zips a folder byte for byte alike each time: names in order, one date, one mode, nothing of this machine."""
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and file.name not in _UNWANTED
        and file.suffix != ".pyc"
        and file.relative_to(folder).parts[0] != "bin"
    ]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), date_time=_EPOCH)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
