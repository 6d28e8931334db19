"""What is kept of values that tell of a person.

Hashed values can still be joined and counted. They are HMAC-SHA-256 (RFC 2104) with the contract's key, as
hexadecimal digits, which SQL computes too: ``lower(to_hex(hmac_sha256(to_utf8(value), to_utf8(key))))`` in Athena.
"""

from __future__ import annotations

import hmac
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from runtime.arrow import plain, texts
from runtime.contract import Contract, Field

MASK = "****"
_SHORTEST_SHOWN, _SHOWN = 12, 4


def protected(values: pa.Array, field: Field, contract: Contract) -> pa.Array:
    """The values of a field as the dataset's table may have them."""
    if field.personal == "hash":
        return _hashed(plain(values), contract.hash_key.encode())
    if field.personal == "mask":
        return _masked(plain(values))
    return values


def _hashed(values: pa.Array, key: bytes) -> pa.Array:
    encoded = values.dictionary_encode()
    return texts([_digest(key, value) for value in encoded.dictionary.to_pylist()]).take(encoded.indices)


@lru_cache(1 << 16)
def _digest(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode(), "sha256").hex()


def _masked(values: pa.Array) -> pa.Array:
    """Asterisks, and of a long value such as a card's number the last characters."""
    tail = pc.utf8_slice_codeunits(values, -_SHOWN)
    shown = pc.if_else(pc.greater_equal(pc.utf8_length(values), _SHORTEST_SHOWN), tail, "")
    return pc.binary_join_element_wise(MASK, shown, "")
