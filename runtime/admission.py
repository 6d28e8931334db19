"""Decides by a file's head whether the pipeline can take it. Used by the validator, the transform and the CLI.

Needs no pyarrow, so that the validator starts fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from formats import Format, Head, MalformedFile, Registry, Structure
from runtime.contract import Contract

_LONGEST_REASON = 1_000
"""Characters of a reason that are kept: it may repeat a part of the file, and goes into messages of limited size."""


class RefusedFile(Exception):  # noqa: N818 - what it is about
    """The pipeline can't take the file; the message says why and what to do. ``format`` is its name, if known."""

    def __init__(self, reason: str, format_: str | None = None) -> None:
        super().__init__(reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]} ...")
        self.format = format_


@dataclass(frozen=True)
class Admission:
    """How a file will be read."""

    format: Format
    structure: Structure
    contract: Contract


def look(head: Head, registry: Registry) -> tuple[Format, Structure]:
    """The format and the structure that a head shows. Raises :class:`RefusedFile`."""
    try:
        format_ = registry.detect(head)
    except MalformedFile as error:
        raise RefusedFile(str(error)) from error
    try:
        return format_, format_.inspect(head)
    except MalformedFile as error:
        raise RefusedFile(str(error), format_.name) from error


def admit(head: Head, contract: Contract, registry: Registry) -> Admission:
    """How a file will be read under a contract. Raises :class:`RefusedFile`."""
    format_, structure = look(head, registry)
    misfits = [] if structure.columns is None else contract.misfits(structure.columns)
    if misfits:
        raise RefusedFile(f"{head.name}: not a file of {contract.name}: {'; '.join(misfits)}", format_.name)
    return Admission(format_, structure, contract)


def contract_that_fits(head: Head, contracts: Sequence[Contract], registry: Registry) -> Contract:
    """The one contract whose columns the file has. Raises :class:`RefusedFile` when none or several are."""
    format_, structure = look(head, registry)
    columns = structure.columns or ()
    misfits = {contract.name: contract.misfits(columns) for contract in contracts}
    fitting = [contract for contract in contracts if not misfits[contract.name]]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(contract.name for contract in fitting)
        raise RefusedFile(
            f"{head.name}: the columns fit several contracts ({names}); name the one meant, by --contract", format_.name
        )
    why = "; ".join(f"{name}: {', '.join(reasons)}" for name, reasons in misfits.items())
    raise RefusedFile(f"{head.name}: the columns fit no contract ({why})", format_.name)


def exactly(admission: Admission) -> Admission:
    """The same admission, for reading again after a :class:`~formats.MisjudgedCutError`."""
    return replace(admission, structure=replace(admission.structure, exact=True))
