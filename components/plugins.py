"""Format plugins on their way to the validator and the job: packages, and the modules of a folder.

A folder's modules are packed into a wheel with their entry points, so that they are found there as a package's are.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pluggy

from components.packages import ArtefactError, build_wheel, distribution_name, distributions, normalized, write_wheel
from formats.hookspecs import ENTRY_POINT_GROUP
from formats.registry import Registry, RegistryError, plugin_modules

_PACKAGE = "retail_plugin_folder"


def requirement(plugin: str, scratch: Path) -> str:
    """What uv is to install for a package: a source folder's wheel, or what was given. Raises ArtefactError."""
    path = Path(plugin)
    if path.is_dir():
        return str(build_wheel(path, scratch))
    return str(path.resolve()) if path.is_file() else plugin


def refuse_without_format(requirement: str, staged: Path) -> None:
    """Raises ArtefactError when what was installed for a requirement brings no format."""
    name = normalized(distribution_name(requirement))
    points = [
        each / "entry_points.txt" for each in distributions(staged) if normalized(distribution_name(each.name)) == name
    ]
    if any(f"[{ENTRY_POINT_GROUP}]" in file.read_text(encoding="utf-8") for file in points if file.is_file()):
        return
    raise ArtefactError(
        f"{Path(requirement).name} brings no format: its package has no entry point of the group {ENTRY_POINT_GROUP};"
        " see docs/formats.md, or take it out of formatPlugins"
    )


def folder_modules(folder: Path) -> Sequence[Path]:
    """The modules of a folder of plugins, which are imported here to see that they bring formats.

    Raises ArtefactError when there is no such folder, a module can't be imported, none brings a format, one of that
    name is there already, or a file has a name that no installed module can have.
    """
    try:
        registry = Registry(folder=folder, outsiders=True)
    except (RegistryError, pluggy.PluginValidationError) as error:
        raise ArtefactError(f"the plugins of {folder} can't be used: {error}") from error
    modules = plugin_modules(folder)
    if not {str(module) for module in modules}.intersection(map(registry.package, registry)):
        raise ArtefactError(f"{folder} brings no format: none of its modules registers one; see docs/formats.md")
    for module in modules:
        if not module.stem.isidentifier():
            raise ArtefactError(
                f"{module}: a module that is shipped needs a name that Python can import; rename it, such as to"
                f" {re.sub(r'[^0-9A-Za-z_]', '_', module.name.removesuffix('.py'))}.py"
            )
    return modules


def folder_wheel(folder: Path, target: Path) -> Path:
    """The wheel, in another folder, of a folder of plugins. Raises ArtefactError as `folder_modules`."""
    modules = folder_modules(folder)
    points = "".join(f"{_PACKAGE}.{module.stem} = {_PACKAGE}.{module.stem}\n" for module in modules)
    files = {f"{_PACKAGE}/{module.name}": module.read_bytes() for module in modules}
    return write_wheel(
        target,
        name=_PACKAGE,
        files={f"{_PACKAGE}/__init__.py": b"", **files},
        entry_points=f"[{ENTRY_POINT_GROUP}]\n{points}",
    )
