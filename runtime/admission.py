"""Decides by a file's head whether the pipeline can take it. Used by the validator, the transform and the CLI.

Needs no pyarrow, so that the validator starts fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from formats import AS_FOUND, Format, Head, MalformedFile, Registry, Structure
from formats.columns import refuse_too_many
from formats.encoding import decoded_head
from runtime.contents import Content, contents
from runtime.contract import Contract
from runtime.source import Source
from runtime.text_encoding import Scan, encoding_of, likely_encoding, told_encoding

_LONGEST_REASON = 1_000
"""Characters of a reason that are kept: it may repeat a part of the file, and goes into messages of limited size."""


class RefusedFile(Exception):  # noqa: N818 - what it is about
    """The pipeline can't take the file; the message says why and what to do. ``format`` is its name, if known.

    The message goes to the ledger, the notices and the terminal: of a file at fault it is made by :func:`refusal`.
    """

    def __init__(self, reason: str, format_: str | None = None) -> None:
        super().__init__(reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]} ...")
        self.format = format_


class AmbiguousFileError(Exception):
    """Nothing is wrong with the file, but it may be of several datasets; the message says which and how to choose."""


class _UnfitFile(MalformedFile):
    """A file at fault, with what was found out about it before that showed."""

    def __init__(self, error: MalformedFile, format_: str, likeness: float = -1) -> None:
        super().__init__(error.reason, error.evidence)
        self.format = format_
        self.likeness = likeness
        """How near its columns are to the contract's, from 0 to 1; negative where it isn't they that are wrong."""


def refusal(
    error: MalformedFile, source: Source, contracts: Sequence[Contract], format_: str | None = None
) -> RefusedFile:
    """The refusal of a malformed file that may be of any of some contracts.

    Where one of them has fields that tell of persons, it doesn't quote the file: in a file at fault nobody knows which
    words are theirs. This is the only place where that is decided.
    """
    may_quote = not any(contract.has_personal_fields for contract in contracts)
    named = error.at(source.name)
    return RefusedFile(str(named) if may_quote else named.reason, format_)


@dataclass(frozen=True)
class Part:
    """How one file of an upload will be read."""

    member: str
    """Its name in an archive; empty for a file by itself."""
    packing: str | None
    format: Format
    structure: Structure
    encoding: str | None
    """What its text is decoded from; None where the format sees to that itself."""
    is_assumed: bool = False
    """Whether the encoding is UTF-8 only for want of anything else."""
    likelihood: float | None = None
    """How sure the format is, from 0 to 1, that the content is its own; None where the contract names the format."""

    @property
    def details(self) -> dict[str, str]:
        """What was found out about its content, by name, for people."""
        return {name: repr(value)[1:-1] for name, value in self.structure.details.items()}


@dataclass(frozen=True)
class Admission:
    """How an upload will be read: the files that it holds, in order."""

    contract: Contract
    registry: Registry
    parts: tuple[Part, ...]

    @property
    def format(self) -> Format:
        """The format of the first file, which is that of all of them in nearly every archive."""
        return self.parts[0].format

    @property
    def structure(self) -> Structure:
        """The structure of the first file."""
        return self.parts[0].structure

    @property
    def encoding(self) -> str | None:
        """The encodings of the text, for people; None where there is none."""
        return ", ".join(dict.fromkeys(part.encoding for part in self.parts if part.encoding)) or None

    @property
    def likelihood(self) -> float | None:
        """That of the first file's format; None where the contract names it."""
        return self.parts[0].likelihood

    @property
    def details(self) -> Mapping[str, str]:
        """What was found out about the first file and its packing, by name, for people."""
        first = self.parts[0]
        found = first.details
        if first.member:
            found["packed in"] = f"zip of {len(self.parts)} file{'s' * (len(self.parts) > 1)}"
        elif first.packing:
            found["packed in"] = first.packing
        return found


def look(
    source: Source, registry: Registry, contract: Contract | None = None, scan: Scan = "if needed"
) -> tuple[Part, ...]:
    """The files that an upload holds, and how each is to be read. Raises :class:`RefusedFile`."""
    try:
        return _parts(source, registry, contract, scan)
    except MalformedFile as error:
        raise refusal(error, source, [contract] if contract else [], _format_of(error)) from error


def admit(source: Source, contract: Contract, registry: Registry, scan: Scan = "if needed") -> Admission:
    """How an upload will be read under a contract. Raises :class:`RefusedFile`."""
    try:
        return _admit(source, contract, registry, scan, _misfit_of_all_rows)
    except MalformedFile as error:
        raise refusal(error, source, [contract], _format_of(error)) from error


def contract_that_fits(source: Source, contracts: Sequence[Contract], registry: Registry) -> Contract:
    """The one contract whose columns the file has.

    Raises :class:`RefusedFile` when there is none, and :class:`AmbiguousFileError` when there are several.
    """
    for misfit in (_misfit_of_head, _misfit_of_incomplete_head):
        fitting: list[Contract] = []
        unfit: list[tuple[Contract, MalformedFile]] = []
        for contract in contracts:
            try:
                _admit(source, contract, registry, "if needed", misfit)
            except MalformedFile as error:
                unfit.append((contract, error))
            else:
                fitting.append(contract)
        if fitting:
            break
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(contract.name for contract in fitting)
        raise AmbiguousFileError(
            f"{source.name}: the columns fit several contracts ({names}); name the one that is meant, as in "
            f"--contract {fitting[0].name}"
        )
    nearest, fault = max(unfit, key=lambda each: _likeness(each[1]))
    others = ", ".join(contract.name for contract in contracts if contract is not nearest)
    why = fault
    if _likeness(fault) == 0:
        why = MalformedFile(
            f"the columns fit no contract: none is in {nearest.name}, {others}; write one for it", fault.evidence
        )
    elif _likeness(fault) > 0:
        why = MalformedFile(f"{fault.reason}; the other contracts ({others}) fit even less", fault.evidence)
    raise refusal(why, source, contracts, _format_of(fault)) from fault


def _admit(source: Source, contract: Contract, registry: Registry, scan: Scan, misfit_of: _MisfitOf) -> Admission:
    parts = _parts(source, registry, contract, scan)
    for part in parts:
        columns = part.structure.columns
        misfit = None if columns is None else misfit_of(part.format, columns, contract)
        if misfit and columns is not None:
            # Columns that were looked for in a wrong way or place are the likeliest mistake.
            found = ", ".join((part.format.name, *(f"{name} {value}" for name, value in part.details.items())))
            misfit = MalformedFile(misfit.reason, f"{misfit.evidence}; read as {found}")
            placed = misfit.at(part.member) if part.member else misfit
            raise _UnfitFile(placed, part.format.name, contract.likeness(columns))
    return Admission(contract, registry, parts)


_MisfitOf = Callable[[Format, Sequence[str], Contract], MalformedFile | None]
"""Why a file of a format, whose head has some columns, is not of a contract; None when it is."""


def _misfit_of_head(_format: Format, columns: Sequence[str], contract: Contract) -> MalformedFile | None:
    return contract.misfit(columns)


def _misfit_of_incomplete_head(format_: Format, columns: Sequence[str], contract: Contract) -> MalformedFile | None:
    """That of a head that may not name all columns."""
    return contract.misfit(columns, complete=not format_.names_in_rows)


def _misfit_of_all_rows(format_: Format, columns: Sequence[str], contract: Contract) -> MalformedFile | None:
    """One that leaves no row to be taken. What each row names is judged row by row."""
    return None if format_.names_in_rows and contract.likeness(columns) else contract.misfit(columns)


def _parts(source: Source, registry: Registry, contract: Contract | None, scan: Scan) -> tuple[Part, ...]:
    with contents(source, registry, (contract.dialect if contract else AS_FOUND).limits) as found:
        return tuple(_look(content, registry, contract, scan) for content in found)


def _format_of(error: MalformedFile) -> str | None:
    return error.format if isinstance(error, _UnfitFile) else None


def _likeness(error: MalformedFile) -> float:
    return error.likeness if isinstance(error, _UnfitFile) else -1


def exactly(admission: Admission) -> Admission:
    """The same admission, for reading again after a :class:`~formats.MisjudgedCutError`."""
    return replace(
        admission,
        parts=tuple(replace(part, structure=replace(part.structure, exact=True)) for part in admission.parts),
    )


def _look(content: Content, registry: Registry, contract: Contract | None, scan: Scan) -> Part:
    head = content.head
    stated = contract.encodings if contract else ()
    told = told_encoding(head, stated)
    text = decoded_head(head, told or likely_encoding(head))
    format_ = _format(head, text, registry, contract)
    encoding, is_assumed = None, False
    dialect = contract.dialect if contract else AS_FOUND
    try:
        if format_.is_text:
            encoding, is_assumed = encoding_of(content, text, format_, told, stated, scan)
            text = decoded_head(head, encoding)
        structure = format_.inspect(text if format_.is_text else head, dialect)
        refuse_too_many(len(structure.columns or ()), dialect.limits)
    except MalformedFile as error:
        raise _UnfitFile(error.at(head.name), format_.name) from error
    structure = replace(structure, dialect=replace(structure.dialect, limits=dialect.limits))
    likelihood = None
    if contract is None or contract.format is None:
        likelihood = format_.likelihood(text if format_.is_text else head)
    return Part(content.member, content.packing, format_, structure, encoding, is_assumed, likelihood)


def _format(head: Head, text: Head, registry: Registry, contract: Contract | None) -> Format:
    if contract is None or contract.format is None or head.size == 0:
        return registry.detect(head, text)
    try:
        return registry[contract.format]
    except KeyError:
        names = ", ".join(format_.name for format_ in registry)
        raise MalformedFile(
            f"{head.name}: the contract's format, {contract.format}, is not installed here; there is: {names}"
        ) from None
