"""One parser under fire, in a process of its own, as the main program starts it.

Each damaged file is kept as FILE before it is read, so that it is there when the process isn't any more.
"""

import io
import resource
import signal
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from formats import MalformedFile
from formats.reading import read
from tests.fuzz.samples import SAMPLES, Samples

_BATCH = 200
_DAMAGES = 6
_SHORTEST_REASON = 10
_READER_SECONDS = 2
"""For small files: more would go by on those of which python-calamine finds no end."""


@st.composite
def damaged(draw: st.DrawFn, data: bytes, samples: Samples, most: int) -> bytes:
    """A file with some of its bytes cut, doubled, overwritten, or with words in their place, in ``most`` places."""
    for _ in range(draw(st.integers(1, most))):
        start = draw(st.integers(0, max(len(data), 1)))
        end = min(len(data), start + draw(st.sampled_from([0, 0, 1, 2, 8, 64, 1000])))
        word = draw(st.sampled_from(samples.words) | st.binary(max_size=4) | st.just(data[start:end] * 2))
        data = data[:start] + word + data[end:]
    return data


@st.composite
def files(draw: st.DrawFn, samples: Samples, most: int = _DAMAGES) -> bytes:
    """A file damaged in at most so many places, or an archive with such a part."""
    data = draw(st.sampled_from(samples.files))
    if not samples.packed or draw(st.integers(0, 3)) == 0:
        return draw(damaged(data, samples, most))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = draw(st.sampled_from([name for name in parts if name.endswith((".xml", ".rels"))]))
    parts[name] = draw(damaged(parts[name], samples, most))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def main() -> None:
    name, seconds, first_seed, kept, memory, patience = sys.argv[1:]
    samples, outcomes = SAMPLES[name](), Counter[str]()
    patch("formats.excel_file.READER_SECONDS", _READER_SECONDS).start()
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    signal.signal(signal.SIGALRM, _too_long)
    deadline = time.monotonic() + float(seconds)
    failed = False  # a file that fails is read once more, to be sure of it, which the deadline mustn't stop

    def reads_or_refuses(data: bytes, most: int | None) -> None:
        nonlocal failed
        if time.monotonic() > deadline and not failed:
            return
        Path(kept).write_bytes(data)
        signal.alarm(int(patience))
        try:
            if samples.through:
                samples.through(data)
                outcomes["read"] += 1
                return
            texts = read(samples.format, data, most=most)
            numbers = read(samples.format, data, lambda _: pa.int64())
            assert [row.values is None for row in texts] == [row.values is None for row in numbers]
            assert [row.raw for row in texts] == [row.raw for row in numbers]
            outcomes["read"] += 1
        except MalformedFile as error:
            assert len(str(error)) > _SHORTEST_REASON, error  # noqa: PT017 - not raising it is as right
            outcomes["refused"] += 1
        except BaseException:
            failed = True
            raise
        finally:
            signal.alarm(0)

    batch = int(first_seed) * 1_000_000
    while time.monotonic() < deadline:
        batch += 1
        under_fire = given(files(samples), st.sampled_from([None, 7, 100]))(reads_or_refuses)
        quick = settings(
            max_examples=_BATCH,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        quick(seed(batch)(under_fire))()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{name}: {outcomes['read']:,} files read, {outcomes['refused']:,} refused, {peak:,} MiB at most")


def _too_long(*_: object) -> None:
    raise TimeoutError("the file takes too long")


if __name__ == "__main__":
    main()
