"""Collects the formats of all plugins and chooses one for a file."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

import pluggy

from formats import hookspecs
from formats.format import Format, Head, MalformedFile

_MAGIC = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an Office document",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"<": "a web page or XML",
}
_BINARY = tuple(begin for begin in _MAGIC if begin != b"<")


OWN_PACKAGE = "retail-pipeline"
FOLDER_VARIABLE = "RETAIL_PLUGINS"
"""The environment variable that names a folder of plugins, for the command line, the validator and the job alike."""
OUTSIDERS_VARIABLE = "RETAIL_OUTSIDERS"
"""The environment variable that is ``on`` or ``off``: whether formats of others are taken."""


class RegistryError(ValueError):
    """The installed formats can't be used together; the message says why and what to do about it."""


class _Package(Protocol):
    @property
    def project_name(self) -> str: ...


class Registry:
    """The formats at hand, by name.

    Raises :class:`RegistryError` when two plugins bring a format of the same name, none brings any, a folder's module
    can't be imported, or a plugin implements a hook that doesn't exist.
    """

    def __init__(
        self, plugins: Iterable[object] = (), *, folder: Path | None = None, outsiders: bool | None = None
    ) -> None:
        """Collect the formats of the installed packages, of the modules in a folder, and of the plugins given.

        Without a word here, ``RETAIL_PLUGINS`` names the folder, and ``RETAIL_OUTSIDERS=off`` leaves only the formats
        in the box and the plugins given.
        """
        if outsiders is None:
            outsiders = _switch(os.environ.get(OUTSIDERS_VARIABLE, "on"))
        named = os.environ.get(FOLDER_VARIABLE)
        if folder is None and named:
            folder = Path(named)
        manager = _packages(outsiders=outsiders)
        for path in plugin_modules(folder) if folder and outsiders else ():
            manager.register(_imported(path), str(path))
        for plugin in plugins:
            manager.register(plugin)
        _refuse_unknown_hooks(manager)
        self._formats: dict[str, Format] = {}
        self._bringers: dict[str, str | _Package] = {}
        """Who brings each format. A package tells its name only when its metadata is parsed, which takes as long as
        all else here."""
        distributions = {id(plugin): found for plugin, found in manager.list_plugin_distinfo()}
        for implementation in manager.hook.register_formats.get_hookimpls():
            bringer = distributions.get(id(implementation.plugin), implementation.plugin_name)
            for format_ in cast(Sequence[Format], implementation.function()):
                self._add(format_, bringer)
        if not self._formats:
            raise RegistryError(
                f"no format is installed: no package has an entry point in the group {hookspecs.ENTRY_POINT_GROUP!r}; "
                "install this one with its metadata, or install it again"
            )

    def _add(self, format_: Format, bringer: str | _Package) -> None:
        other = self._bringers.get(format_.name)
        if other is not None:
            raise RegistryError(
                f"two plugins bring a format named {format_.name!r}: {_name(other)} and {_name(bringer)}; "
                "uninstall or rename one"
            )
        self._formats[format_.name] = format_
        self._bringers[format_.name] = bringer

    def __iter__(self) -> Iterator[Format]:
        """The formats, by name."""
        return iter(format_ for _, format_ in sorted(self._formats.items()))

    def __getitem__(self, name: str) -> Format:
        """The format of this name. Raises ``KeyError``."""
        return self._formats[name]

    def claims(self, head: Head) -> bool:
        """Whether a format that is no text knows a head as its own: what looks packed may be a workbook."""
        return any(one.likelihood(head) > 0 for one in self if not one.is_text)

    def package(self, format_: Format) -> str:
        """The package that brings a format."""
        return _name(self._bringers[format_.name])

    def detect(self, head: Head, text: Head | None = None) -> Format:
        """The format that is surest of a head; where two are equally sure, the one whose suffix the name has.

        ``text`` is the same head in UTF-8, for formats of text. Raises
        :class:`MalformedFile` when none is.
        """
        if head.size == 0:
            raise MalformedFile(f"{head.name}: the file is empty; export it again")
        name = head.name.lower()
        likelihood, _, best = max(
            (one.likelihood(text if one.is_text and text else head), name.endswith(one.suffixes), one.name)
            for one in self
        )
        is_binary = self[best].is_text and head.has_control_characters and head.data.startswith(_BINARY)
        if likelihood > 0 and not is_binary:
            return self[best]
        readable = ", ".join(format_.name for format_ in self)
        raise MalformedFile(
            f"{head.name}: {_what(head.data)}, not a sales file; formats that can be read, as they are or "
            f"in a zip archive: {readable}",
            f"it begins with the bytes {head.data[:8].hex(' ')}",
        )


def _packages(*, outsiders: bool) -> pluggy.PluginManager:
    """The plugins of installed packages, or of this one alone."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    if not outsiders:
        for entry_point in metadata.entry_points(group=hookspecs.ENTRY_POINT_GROUP):
            if entry_point.dist is None or entry_point.dist.name != OWN_PACKAGE:
                manager.set_blocked(entry_point.name)
    manager.load_setuptools_entrypoints(hookspecs.ENTRY_POINT_GROUP)
    return manager


def _name(bringer: str | _Package) -> str:
    return bringer if isinstance(bringer, str) else bringer.project_name


def _refuse_unknown_hooks(manager: pluggy.PluginManager) -> None:
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        hooks = ", ".join(name for name in vars(hookspecs) if name.startswith("register_"))
        name = manager.get_name(error.plugin)
        raise RegistryError(f"{name}: {str(error).partition(' in plugin ')[0]}; expected {hooks}") from error


def _switch(value: str) -> bool:
    if value not in ("on", "off"):
        raise RegistryError(f"{OUTSIDERS_VARIABLE} is {value!r}; expected on or off")
    return value == "on"


def plugin_modules(folder: Path) -> list[Path]:
    """The plugins of a folder: its modules, but for those whose names begin with an underscore, and tests."""
    if not folder.is_dir():
        raise RegistryError(f"{folder}: no such folder of plugins; make it, or correct {FOLDER_VARIABLE} or --plugins")
    return [path for path in sorted(folder.glob("*.py")) if not path.name.startswith(("_", "test_"))]


def _imported(path: Path) -> ModuleType:
    name = f"retail_pipeline_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RegistryError(f"{path}: not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise RegistryError(f"{path}: the plugin can't be imported: {type(error).__name__}: {error}") from error
    return module


def _what(data: bytes) -> str:
    for magic, what in _MAGIC.items():
        if data.startswith(magic):
            return f"the content is {what}"
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        return "the content is blank lines only"
    before, nul, _ = data.partition(b"\0")
    if nul and b"\n" in before and before.isascii():
        return f"a NUL byte, which no text has, stands after the first {len(before):,} bytes of the content"
    return "the content is of no known format"
