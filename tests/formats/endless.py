"""Reads a file that is made as it is read, in a process of its own, and says what came of it and what it took.

``python -m tests.formats.endless FORMAT BEGIN CHUNK SIZE END``: the file is BEGIN, then CHUNK over and over up to SIZE
bytes, then END, which are Python's literals of bytes.
"""

import io
import json
import re
import sys
from ast import literal_eval
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from formats import Block, Head, MalformedFile, MisjudgedCutError, Registry
from formats.format import HEAD_SIZE
from formats.reading import text

_CHUNK = 64 * 1024


class Endless(io.RawIOBase):
    """Some bytes, then others over and over, up to a size, then the last."""

    def __init__(self, begin: bytes, chunk: bytes, size: int, end: bytes) -> None:
        times = max(1, _CHUNK // len(chunk))
        self._parts = iter([begin, *[chunk * times] * (size // (len(chunk) * times)), end])
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and (part := next(self._parts, None)) is not None:
            self._ready = memoryview(part)
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def counted(blocks: Iterator[Block]) -> tuple[int, int, str]:
    """How many rows came, how many of them malformed, and why the last of these."""
    rows = malformed = 0
    reason = ""
    for block in blocks:
        found = block.parse()
        rows, malformed = rows + found.count, malformed + len(found.malformed)
        reason = found.malformed[-1].reason if found.malformed else reason
    return rows, malformed, reason


def main(name: str, *file: str) -> None:
    begin, chunk, size, end = (literal_eval(part) for part in file)

    def opened() -> BinaryIO:
        return io.BufferedReader(Endless(begin, chunk, size, end), 1 << 20)

    rows = malformed = 0
    try:
        format_ = Registry()[name]
        structure = format_.inspect(Head("upload", None, opened().read(HEAD_SIZE), None))
        try:
            found = counted(format_.read(opened(), structure, text))
        except MisjudgedCutError:
            found = counted(format_.read(opened(), replace(structure, exact=True), text))
        rows, malformed, reason = found
    except MalformedFile as error:
        reason = str(error)
    status = Path("/proc/self/status").read_text(encoding="ascii")  # getrusage counts the process before exec, too
    mebibytes = int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) // 1024
    print(json.dumps({"rows": rows, "malformed": malformed, "reason": reason, "mebibytes": mebibytes}))


if __name__ == "__main__":
    main(*sys.argv[1:])
