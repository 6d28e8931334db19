"""What is deployed is small, complete, and the same again when nothing has changed."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import components.artefacts
from components.artefacts import Artefacts, Plugins, build_artefacts, object_key
from components.packages import ArtefactError, uv
from tests.infrastructure.plugin import EXAMPLE, plugin_source
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
        (host.wheels[0], again.wheels[0]),
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
    assert host.wheels[0].name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(host.wheels[0]) as wheel:
        names = wheel.namelist()
        (points,) = [name for name in names if name.endswith("entry_points.txt")]
        assert "[retail_pipeline.formats]" in wheel.read(points).decode()
    assert {"runtime/transform.py", "formats/csv.py"} <= set(names)
    assert not [name for name in names if name.startswith(("components/", "emulator/", "tests/"))]


def test_the_same_sources_in_another_folder_give_the_same_bytes(host: Artefacts, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "checkout"
    copy.mkdir(parents=True)
    for name in ("formats", "runtime", "components", "contracts"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "uv.lock", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    build = (
        "from pathlib import Path; from components.artefacts import build_artefacts as b; b(Path('contracts'), 'host')"
    )
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    subprocess.run([sys.executable, "-c", build], cwd=copy, env=environment, check=True)
    [built] = (copy / "build" / "artefacts").iterdir()
    for file in (host.validator_package, *host.wheels, host.contracts):
        assert (built / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("platform", ["host", "arm64"])
def test_all_that_is_shipped_brings_its_licence(platform: str, tmp_path: Path) -> None:
    artefacts = build_artefacts(CONTRACTS, platform, tmp_path)
    for archive in (artefacts.validator_package, *artefacts.wheels):
        with zipfile.ZipFile(archive) as package:
            names = package.namelist()
        packages = {name.split("/")[0] for name in names if ".dist-info/" in name}
        licensed = {name.split("/")[0] for name in names if ".dist-info/licenses/" in name}
        assert packages
        assert licensed == packages


def test_a_plugin_is_shipped_to_the_validator_and_to_the_job(tmp_path: Path) -> None:
    plugin = plugin_source(tmp_path / "till-journal")
    artefacts = build_artefacts(CONTRACTS, "arm64", tmp_path / "builds", plugins=Plugins([str(plugin)]))
    with zipfile.ZipFile(artefacts.validator_package) as package:
        assert "till_journal.py" in package.namelist()
        assert b"[retail_pipeline.formats]" in package.read("till_journal-1.0.dist-info/entry_points.txt")
        assert not [name for name in package.namelist() if name.startswith(("pyarrow", "duckdb", "boto3"))]
    ours, calamine, theirs = artefacts.wheels
    assert ours.name.startswith("retail_pipeline-")
    assert theirs.name == "till_journal-1.0-py3-none-any.whl"
    again = build_artefacts(CONTRACTS, "arm64", tmp_path / "again", plugins=Plugins([str(theirs)]))
    assert again.validator_package.read_bytes() == artefacts.validator_package.read_bytes()
    assert again.wheels[2].read_bytes() == theirs.read_bytes()
    assert calamine.name.startswith("python_calamine-"), "Glue brings no reader of workbooks"
    assert "x86_64" in calamine.name


def test_another_plugin_of_the_same_path_is_built_anew(tmp_path: Path) -> None:
    plugin = plugin_source(tmp_path / "till-journal")
    before = build_artefacts(CONTRACTS, "host", tmp_path / "builds", plugins=Plugins([str(plugin)]))
    (plugin / "till_journal.py").write_text("VERSION = 2\n")
    after = build_artefacts(CONTRACTS, "host", tmp_path / "builds", plugins=Plugins([str(plugin)]))
    assert before.validator_package.parent != after.validator_package.parent


def test_a_plugin_without_a_format_is_refused(tmp_path: Path) -> None:
    plugin = plugin_source(tmp_path / "till-journal", entry_points=False)
    with pytest.raises(ArtefactError, match=r"brings no format: .* entry point of the group retail_pipeline\.formats"):
        build_artefacts(CONTRACTS, "host", tmp_path / "builds", plugins=Plugins([str(plugin)]))
    assert list((tmp_path / "builds").iterdir()) == []


def test_a_wheel_that_cannot_be_had_is_named_with_its_target(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError) as failure:
        build_artefacts(CONTRACTS, "arm64", tmp_path, plugins=Plugins(["moto==0.0.0.1"]))
    assert "moto==0.0.0.1 can't be had as wheels for aarch64-manylinux_2_28 and Python 3.13" in str(failure.value)


def test_without_uv_nothing_is_built_and_it_is_said_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(ArtefactError, match=r"uv, .*, is neither installed nor on the PATH: install it as https://"):
        build_artefacts(CONTRACTS, "host", tmp_path)


def test_a_dependency_without_a_locked_version_is_not_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components.artefacts, "GLUE_DEPENDENCIES", ("teapot",))
    with pytest.raises(ArtefactError, match=r"uv\.lock doesn't lock teapot: run `uv lock`"):
        build_artefacts(CONTRACTS, "host", tmp_path)


def test_a_plugin_that_cannot_be_built_is_named(tmp_path: Path) -> None:
    plugin = plugin_source(tmp_path / "till-journal")
    (plugin / "pyproject.toml").write_text("[project]\nname = 'till-journal'\n")
    with pytest.raises(ArtefactError, match=r"till-journal can't be built to a wheel:\n"):
        build_artefacts(CONTRACTS, "host", tmp_path / "builds", plugins=Plugins([str(plugin)]))


def test_what_glue_lacks_goes_beside_our_wheel_for_its_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(components.artefacts, "GLUE_DEPENDENCIES", ("orjson",))
    monkeypatch.setattr(components.artefacts, "GLUE_BRINGS", ("pluggy",))
    _, wheel = build_artefacts(CONTRACTS, "arm64", tmp_path).wheels
    assert re.fullmatch(r"orjson-[\d.]+-cp313-cp313-manylinux_2_17_x86_64\.manylinux2014_x86_64\.whl", wheel.name)
    check = [sys.executable, "-m", "zipfile", "-t", str(wheel)]
    assert subprocess.run(check, capture_output=True, check=True)
    with zipfile.ZipFile(wheel) as packed:
        [record] = [name for name in packed.namelist() if name.endswith(".dist-info/RECORD")]
        recorded = {line.split(",")[0] for line in packed.read(record).decode().splitlines()}
        assert recorded == set(packed.namelist())
    # An installer takes it, whatever the machine that it is for.
    target = [
        "--python-platform",
        "x86_64-manylinux_2_34",
        "--python-version",
        "3.13",
        "--target",
        str(tmp_path / "site"),
    ]
    uv("pip", "install", "--no-deps", "--no-index", *target, str(wheel), problem="the wheel is broken")
    assert (tmp_path / "site" / "orjson" / "__init__.py").is_file()


def _plugin_folder(folder: Path) -> Path:
    folder.mkdir()
    shutil.copy(EXAMPLE / "till_journal.py", folder / "fixed_width.py")
    (folder / "test_fixed_width.py").write_text("raise SystemExit('a test is no plugin')\n")
    (folder / "__pycache__").mkdir()
    return folder


def test_the_modules_of_a_folder_are_shipped_to_the_validator_and_to_the_job(tmp_path: Path) -> None:
    folder = _plugin_folder(tmp_path / "plugins")
    artefacts = build_artefacts(CONTRACTS, "host", tmp_path / "builds", plugins=Plugins(folder=folder))
    with zipfile.ZipFile(artefacts.validator_package) as package:
        package.extractall(tmp_path / "lambda")
    (wheel,) = [each for each in artefacts.wheels if each.name.startswith("retail_plugin_folder-")]
    ours = tmp_path / "glue"
    uv("pip", "install", "--no-deps", "--target", str(ours), str(artefacts.wheels[0]), str(wheel), problem="no wheels")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from formats.registry import Registry;"
        " print(*(each.name for each in Registry()))"
    )
    for place in (tmp_path / "lambda", ours):
        command = [sys.executable, "-c", program, str(place)]
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert run.returncode == 0, run.stderr
        assert {"csv", "fixed_width"} <= set(run.stdout.split())
    again = build_artefacts(CONTRACTS, "host", tmp_path / "again", plugins=Plugins(folder=folder))
    assert again.validator_package.read_bytes() == artefacts.validator_package.read_bytes()
    (folder / "fixed_width.py").write_text((folder / "fixed_width.py").read_text() + "\n# Another.\n")
    other = build_artefacts(CONTRACTS, "host", tmp_path / "builds", plugins=Plugins(folder=folder))
    assert other.validator_package.parent != artefacts.validator_package.parent


def test_a_module_that_moves_within_a_plugin_gives_another_build(tmp_path: Path) -> None:
    """What is imported is named by its place, so the same content elsewhere is another plugin."""
    source = plugin_source(tmp_path / "plugin")
    (source / "old").mkdir()
    (source / "old" / "helper.py").write_text("ANSWER = 42\n", encoding="utf-8")
    before = build_artefacts(CONTRACTS, "host", tmp_path / "builds", plugins=Plugins([str(source)]))
    (source / "old").rename(source / "new")
    after = build_artefacts(CONTRACTS, "host", tmp_path / "builds", plugins=Plugins([str(source)]))
    assert after.validator_package.parent != before.validator_package.parent


CSV_AGAIN = """
from formats import hookimpl
from formats.csv import Csv

@hookimpl
def register_formats():
    return [Csv()]
"""


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("import teapot\n", r"sales\.py: the plugin can't be imported: ModuleNotFoundError: No module named 'teapot'"),
        ("name = 'sales'\n", r"brings no format: none of its modules registers one"),
        (CSV_AGAIN, "two plugins bring a format named 'csv'"),
    ],
)
def test_a_folder_that_could_not_be_used_is_not_shipped(tmp_path: Path, module: str, message: str) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "sales.py").write_text(module, encoding="utf-8")
    with pytest.raises(ArtefactError, match=message):
        build_artefacts(CONTRACTS, "host", tmp_path / "builds", plugins=Plugins(folder=folder))
    assert list((tmp_path / "builds").iterdir()) == []


def test_a_module_that_could_not_be_imported_by_its_name_is_not_shipped(tmp_path: Path) -> None:
    folder = _plugin_folder(tmp_path / "plugins")
    (folder / "fixed_width.py").rename(folder / "fixed-width.py")
    with pytest.raises(ArtefactError, match=r"fixed-width\.py: .* rename it, such as to fixed_width\.py"):
        build_artefacts(CONTRACTS, "host", tmp_path / "builds", plugins=Plugins(folder=folder))
