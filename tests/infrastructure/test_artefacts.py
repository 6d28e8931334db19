"""What is deployed is small, complete, and the same again when nothing has changed."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from components.artefacts import ArtefactError, Artefacts, build_artefacts, object_key
from tests.infrastructure.recording import ROOT

CONTRACTS = ROOT / "contracts"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Artefacts:
    return build_artefacts(CONTRACTS, "host", tmp_path_factory.mktemp("builds"))


def test_two_builds_are_alike_to_the_byte(host: Artefacts, tmp_path: Path) -> None:
    again = build_artefacts(CONTRACTS, "host", tmp_path)
    assert again.validator_package != host.validator_package
    for one, other in (
        (host.validator_package, again.validator_package),
        (host.wheel, again.wheel),
        (host.contracts, again.contracts),
    ):
        assert one.read_bytes() == other.read_bytes()


def test_a_build_is_found_again(host: Artefacts) -> None:
    built = host.validator_package.stat().st_mtime_ns
    again = build_artefacts(CONTRACTS, "host", host.validator_package.parents[1])
    assert again == host
    assert again.validator_package.stat().st_mtime_ns == built


def test_another_contract_gives_another_package(host: Artefacts, tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    for file in CONTRACTS.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        (contracts / file.name).write_text(text.replace("description: ", "description: New. ", 1), encoding="utf-8")
    other = build_artefacts(contracts, "host", tmp_path / "builds")
    assert object_key("validator", other.validator_package) != object_key("validator", host.validator_package)


def test_the_package_is_smaller_than_a_megabyte(host: Artefacts) -> None:
    assert host.validator_package.stat().st_size < 1_000_000


def test_the_package_holds_nothing_of_this_machine(host: Artefacts) -> None:
    with zipfile.ZipFile(host.validator_package) as package:
        for name in package.namelist():
            assert not name.endswith((".pyc", "RECORD", "INSTALLER", "direct_url.json"))
            assert str(ROOT).encode() not in package.read(name)


def test_the_validator_starts_from_its_package_without_the_job_s_libraries(host: Artefacts, tmp_path: Path) -> None:
    with zipfile.ZipFile(host.validator_package) as package:
        package.extractall(tmp_path)
    program = """
import sys
sys.modules.update(dict.fromkeys(["pyarrow", "duckdb", "yaml", "numpy", "pulumi"]))
sys.path.insert(0, sys.argv[1])
import importlib.metadata
import runtime.file_validator
assert runtime.file_validator.__file__.startswith(sys.argv[1])
assert callable(runtime.file_validator.handler)
print(*sorted(point.name for point in importlib.metadata.entry_points(group="retail_pipeline.formats")))
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert run.returncode == 0, run.stderr
    assert {"csv", "json"} <= set(run.stdout.split())
    assert (tmp_path / "contracts.json").read_bytes() == host.contracts.read_bytes()


def test_the_package_for_aws_is_built_for_graviton(tmp_path: Path) -> None:
    package = build_artefacts(CONTRACTS, "arm64", tmp_path).validator_package
    assert package.stat().st_size < 1_000_000
    with zipfile.ZipFile(package) as archive:
        libraries = [name for name in archive.namelist() if name.endswith(".so")]
    assert libraries
    assert all("cpython-313-aarch64" in library for library in libraries)


def test_an_unknown_platform_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="the Lambda platform is 'sparc'; allowed is one of arm64, host"):
        build_artefacts(CONTRACTS, "sparc", tmp_path)


def test_the_wheel_carries_our_code_and_its_entry_points(host: Artefacts) -> None:
    assert host.wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(host.wheel) as wheel:
        names = wheel.namelist()
        (points,) = [name for name in names if name.endswith("entry_points.txt")]
        assert "[retail_pipeline.formats]" in wheel.read(points).decode()
    assert {"runtime/transform.py", "formats/csv.py"} <= set(names)
    assert not [name for name in names if name.startswith(("components/", "emulator/", "tests/"))]
