"""How far the work is, on a terminal: one line of standard error that is written again and again."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from runtime.source import LocalFile
from runtime.text import printable

_SECONDS = 0.2
_BACK_AND_CLEAR = "\r\x1b[K"
"""To the line's beginning, and clear to its end (ECMA-48, CR and EL)."""


class WatchedFile(LocalFile):
    """A file of this machine, of which can be seen how far it is read."""

    _stream: BinaryIO | None = None

    def open(self) -> BinaryIO:
        self._stream = super().open()
        return self._stream

    def share_read(self) -> float:
        """From 0 to 1; a file that is read twice begins again."""
        try:
            return self._stream.tell() / self.version.size if self._stream and self.version.size else 0.0
        except ValueError:  # it is closed
            return 1.0


class Progress:
    """Says on a terminal which file is under way; where standard error is none, nothing."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._line = ""
        self._files = 0

    @contextmanager
    def of(self, name: str, file: WatchedFile) -> Iterator[None]:
        """Show how far a file is read, for as long as it is worked on."""
        self._files += 1
        if not self._shows:
            yield
            return
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(name, file, done), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            self._show("")

    def print(self, text: str) -> None:
        """A line on standard output, in place of the progress, which then goes on below."""
        with self._lock:
            if self._line:
                sys.stderr.write(_BACK_AND_CLEAR)
                sys.stderr.flush()
            print(text)
            self._line = ""

    def _watch(self, name: str, file: WatchedFile, done: threading.Event) -> None:
        while not done.wait(_SECONDS):
            self._show(f"file {self._files}, {printable(name)}: {file.share_read():.0%} read")

    def _show(self, line: str) -> None:
        with self._lock:
            if line != self._line:
                sys.stderr.write(_BACK_AND_CLEAR + line)
                sys.stderr.flush()
                self._line = line
