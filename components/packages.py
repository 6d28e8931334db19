"""Python packages for other machines, by uv: no Docker, and the same bytes for the same packages.

uv resolves and fetches wheels for the target's platform and installs them in a folder, from which archives are made.
"""

import base64
import csv
import hashlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNWANTED = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json", ".lock"}


class ArtefactError(Exception):
    """Something can't be built; says what, why and what to do about it."""


@dataclass(frozen=True)
class Target:
    """A machine to install for: uv's name of its platform and its Python; with neither, this one."""

    platform: str = ""
    python: str = ""

    def options(self) -> list[str]:
        """What tells uv of the target."""
        if not self.platform:
            return ["--python", sys.executable]
        return ["--python-platform", self.platform, "--python-version", self.python]

    def __str__(self) -> str:
        return f"{self.platform} and Python {self.python}" if self.platform else f"this machine and {sys.executable}"


def build_wheel(source: Path, folder: Path) -> Path:
    """The wheel of the package in a source folder, built into another. Raises ArtefactError."""
    uv("build", "--wheel", "--out-dir", str(folder), str(source), problem=f"{source} can't be built to a wheel")
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(
    requirements: Sequence[str],
    folder: Path,
    target: Target,
    *,
    pinned: Mapping[str, str],
    left_out: Iterable[str] = (),
) -> None:
    """Installs packages with what they need into a folder, as wheels for the target.

    `pinned` gives versions by name, for whoever needs them; packages of the names `left_out` are there already.
    Raises ArtefactError when a wheel can't be had.
    """
    # An override whose marker never holds takes a dependency out: https://docs.astral.sh/uv/concepts/resolution/
    never = [f"{name} ; sys_platform == 'never'" for name in left_out]
    overrides = folder.with_suffix(".overrides")
    overrides.write_text("\n".join([*(f"{name}=={pinned[name]}" for name in sorted(pinned)), *sorted(never)]) + "\n")
    uv(
        *("pip", "install", "--only-binary", ":all:", "--overrides", str(overrides)),
        *("--target", str(folder), *target.options(), *requirements),
        problem=f"{', '.join(Path(requirement).name for requirement in requirements)} can't be had as wheels for"
        f" {target}; choose a version that has them, or leave it out",
    )
    overrides.unlink()


def locked(lock: Path) -> dict[str, str]:
    """The versions in a lock file of uv, by name."""
    packages = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    return {package["name"]: package["version"] for package in packages if "version" in package}


def distributions(folder: Path) -> Iterator[Path]:
    """The metadata folders of what is installed in a folder."""
    return iter(sorted(folder.glob("*.dist-info")))


def normalized(name: str) -> str:
    """A package's name as it is compared (https://packaging.python.org/en/latest/specifications/name-normalization/)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def zip_folder(folder: Path, target: Path) -> None:
    """Zips a folder, without what is of this machine."""
    wanted = (file for file in folder.rglob("*") if file.is_file() and _is_wanted(file.relative_to(folder)))
    _write(target, {file.relative_to(folder).as_posix(): file.read_bytes() for file in wanted})


def distribution_name(requirement: str) -> str:
    """The package's name in a requirement or in the name of a wheel or of a metadata folder."""
    if requirement.endswith((".whl", ".dist-info")):
        return Path(requirement).name.split("-")[0]
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def required(wheel: Path) -> set[str]:
    """The names of the packages that a wheel requires, without those of its extras."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        requirements = HeaderParser().parsestr(archive.read(name).decode()).get_all("Requires-Dist", [])
    return {normalized(distribution_name(each)) for each in requirements if "extra ==" not in each}


def pack_wheel(metadata: Path, folder: Path, left_out: str = "") -> Path:
    """Makes a wheel, in a folder, of an installed distribution whose metadata folder is given.

    Of its top folders `left_out` stays behind.
    https://packaging.python.org/en/latest/specifications/binary-distribution-format/
    """
    site = metadata.parent
    with (metadata / "RECORD").open(encoding="utf-8", newline="") as record:
        names = [name for name, *_ in csv.reader(record)]
    wanted = (Path(name) for name in names if _is_wanted(Path(name)) and Path(name).parts[0] != left_out)
    files = {name.as_posix(): (site / name).read_bytes() for name in wanted if (site / name).is_file()}
    return _write_wheel(folder, f"{metadata.name.removesuffix('.dist-info')}-{_tags(metadata)}", metadata.name, files)


def write_wheel(folder: Path, *, name: str, files: Mapping[str, bytes], entry_points: str) -> Path:
    """Makes a wheel of Python code alone, in a folder that may not be there yet."""
    metadata = f"{name}-0.dist-info"
    texts = {
        "METADATA": f"Metadata-Version: 2.4\nName: {name.replace('_', '-')}\nVersion: 0\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: retail-pipeline\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": entry_points,
    }
    folder.mkdir(parents=True, exist_ok=True)
    described = {f"{metadata}/{file}": text.encode() for file, text in texts.items()}
    return _write_wheel(folder, f"{name}-0-py3-none-any", metadata, {**files, **described})


def uv(*arguments: str, problem: str) -> None:
    """Runs uv. Raises ArtefactError, with the problem and uv's own words, when it fails."""
    # The wheel's files get this date instead of today's (https://reproducible-builds.org/specs/source-date-epoch/).
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}
    command = [_find_uv(), "--quiet", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ArtefactError(f"{problem}:\n{done.stderr}")


def _find_uv() -> str:
    if importlib.util.find_spec("uv"):
        from uv import find_uv_bin

        return str(find_uv_bin())
    found = shutil.which("uv")
    if not found:
        raise ArtefactError(
            "uv, which builds the Lambda package, is neither installed nor on the PATH:"
            " install it as https://docs.astral.sh/uv/getting-started/installation/ says"
        )
    return found


def _is_wanted(file: Path) -> bool:
    return file.name not in _UNWANTED and file.suffix != ".pyc" and file.parts[0] not in ("bin", "..")


def _tags(metadata: Path) -> str:
    """The tags of a wheel's name: of each part, all that the wheel is for."""
    message = HeaderParser().parsestr((metadata / "WHEEL").read_text(encoding="utf-8"))
    parts = zip(*(tag.split("-") for tag in message.get_all("Tag", [])), strict=True)
    return "-".join(".".join(dict.fromkeys(part)) for part in parts)


def _write_wheel(folder: Path, name: str, metadata: str, files: Mapping[str, bytes]) -> Path:
    lines = [f"{file},sha256={_digest(data)},{len(data)}\n" for file, data in sorted(files.items())]
    record = f"{metadata}/RECORD"
    wheel = folder / f"{name}.whl"
    _write(wheel, {**files, record: "".join([*lines, f"{record},,\n"]).encode()})
    return wheel


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _write(target: Path, files: Mapping[str, bytes]) -> None:
    """An archive that is byte for byte alike each time: names in order, one date, one mode."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    target.write_bytes(buffer.getvalue())
