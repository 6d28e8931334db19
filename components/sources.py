"""This project itself, as it is shipped: the checkout that the program runs from, or the package that is installed."""

import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from components.packages import build_wheel, pack_wheel
from formats.registry import OWN_PACKAGE

ROOT = Path(__file__).resolve().parent.parent
"""The checkout, or where packages are installed."""

IS_CHECKOUT = (ROOT / "pyproject.toml").is_file()
LOCK = ROOT / "uv.lock" if IS_CHECKOUT else Path(__file__).with_name("uv.lock")
"""The versions that are shipped; the package brings the lock file along."""

BUILDS = (ROOT if IS_CHECKOUT else Path()) / "build" / "artefacts"
"""Where builds are kept: in the checkout, or in the folder of the program that uses the package."""

_DEPLOYS = "components"
"""Of our code what isn't shipped: it does the shipping."""


def own_wheel(scratch: Path, folder: Path) -> Path:
    """Our wheel in a folder, the same for a checkout and for the package that was built of it. Raises ArtefactError."""
    if not IS_CHECKOUT:
        return pack_wheel(_installed(), folder, left_out=_DEPLOYS)
    with zipfile.ZipFile(build_wheel(ROOT, scratch / "wheel")) as wheel:
        wheel.extractall(scratch / "own")
    (found,) = (scratch / "own").glob("*.dist-info")
    return pack_wheel(found, folder, left_out=_DEPLOYS)


def own_files() -> Iterator[Path]:
    """All that our wheel and what comes beside it depend on, in one order."""
    for code in ("formats", "runtime"):
        yield from sorted((ROOT / code).rglob("*.py"))
    yield from (ROOT / "components" / f"{name}.py" for name in ("artefacts", "packages", "plugins", "sources"))
    yield LOCK
    if IS_CHECKOUT:
        yield from (ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE"))
    else:
        yield _installed() / "METADATA"


def _installed() -> Path:
    """The metadata folder of the package."""
    (found,) = ROOT.glob(f"{OWN_PACKAGE.replace('-', '_')}-{metadata.version(OWN_PACKAGE)}.dist-info")
    return found
