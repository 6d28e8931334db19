"""Record batches out of columns of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def batch_of(names: Sequence[str], columns: Sequence[pa.Array], rows: int) -> pa.RecordBatch:
    """A batch that knows how many rows it has even if it has no column."""
    import pyarrow as pa

    if columns:
        return pa.RecordBatch.from_arrays(list(columns), list(names))
    return pa.RecordBatch.from_struct_array(pa.StructArray.from_buffers(pa.struct([]), rows, [None]))
