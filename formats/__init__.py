"""File formats as plugins: bytes in, Arrow record batches of raw values with their place out.

A plugin knows nothing of contracts and nothing of AWS. See ``hookspecs.py`` for the one hook to implement,
``format.py`` for what a format promises, ``csv.py`` and ``json.py`` for two that keep it.
"""

from formats.dialect import AS_FOUND, TableDialect
from formats.format import Block, Format, Head, MalformedFile, MalformedRow, MisjudgedCutError, Rows, Structure, Wanted
from formats.hookspecs import hookimpl
from formats.registry import Registry, RegistryError

__all__ = [
    "AS_FOUND",
    "Block",
    "Format",
    "Head",
    "MalformedFile",
    "MalformedRow",
    "MisjudgedCutError",
    "Registry",
    "RegistryError",
    "Rows",
    "Structure",
    "TableDialect",
    "Wanted",
    "hookimpl",
]
