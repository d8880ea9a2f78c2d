"""Baselines as bytes; counts as bytes are in `baselines.packing`.

A baseline file is ``magic, version, length of body, sha256 of all that and the body, body``.
The body is compressed with zlib: a summary as JSON, the description as JSON, then two matrices
of counts (slices, history) in the smallest unsigned width, byte planes apart. The id of a
baseline is not taken from these bytes; see `Baseline.id`.
"""

import hashlib
import json
import struct
import zlib
from typing import Any

from baselines.baseline import Baseline, canonical_json
from baselines.description import key_from, provenance_from, schema_from
from baselines.layout import Layout
from baselines.packing import (
    BaselineFormatError,
    decode_counts,
    decode_matrix,
    encode_counts,
    encode_matrix,
)
from baselines.summary import Window, WindowSummary

__all__ = [
    "FORMAT_VERSION",
    "BaselineFormatError",
    "decode_baseline",
    "decode_counts",
    "encode_baseline",
    "encode_counts",
    "read_summary",
]

FORMAT_VERSION = 1

_MAGIC = b"OWBL"
_PREFIX = struct.Struct("<4sHQ")
_HEADER_SIZE = _PREFIX.size + hashlib.sha256().digest_size
_LENGTH = struct.Struct("<Q")
_COMPRESSION_LEVEL = 6
_ADVICE = "restore the file, or promote another version and remove this one"


def encode_baseline(baseline: Baseline) -> bytes:
    """Return the bytes of a baseline file."""
    summary = {
        "id": baseline.id,
        "provenance": baseline.description()["provenance"],
        "n_windows": len(baseline.history),
    }
    references = [baseline.references[name].counts for name in sorted(baseline.references)]
    body = b"".join(
        [
            _sized(canonical_json(summary)),
            _sized(canonical_json(baseline.description())),
            _sized(encode_matrix(references)),
            _sized(encode_matrix([window.summary.counts for window in baseline.history])),
        ]
    )
    packed = zlib.compress(body, _COMPRESSION_LEVEL)
    prefix = _PREFIX.pack(_MAGIC, FORMAT_VERSION, len(packed))
    return prefix + hashlib.sha256(prefix + packed).digest() + packed


def decode_baseline(data: bytes, *, expected_id: str | None = None) -> Baseline:
    """Return the baseline that `encode_baseline` wrote.

    Parameters
    ----------
    data
        The bytes of a baseline file.
    expected_id
        The id that the content must have; None: the one that the file itself states.

    Raises
    ------
    BaselineFormatError
        If the bytes are empty, foreign, cut short, damaged, of a newer format or of another
        baseline than expected.
    """
    body = _checked_body(data)
    try:
        baseline, stated_id = _parse(zlib.decompress(body))
    except BaselineFormatError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, struct.error, zlib.error) as error:
        message = f"the baseline's checksum is right but its content is not: {error}; {_ADVICE}"
        raise BaselineFormatError(message) from error
    wanted = expected_id or stated_id
    if baseline.id != wanted:
        message = f"this file holds baseline {baseline.id}, not {wanted}; {_ADVICE}"
        raise BaselineFormatError(message)
    return baseline


def read_summary(data: bytes) -> dict[str, Any]:
    """Return id, provenance and number of windows from the beginning of a baseline file.

    Neither checksum nor counts are looked at; 64 kB of the file are enough.

    Raises
    ------
    BaselineFormatError
        If the bytes do not begin like a baseline file of this format.
    """
    _check_prefix(data)
    try:
        beginning = zlib.decompressobj().decompress(data[_HEADER_SIZE:], 2**16)
        summary, _ = _take_sized(memoryview(beginning))
        found: dict[str, Any] = json.loads(bytes(summary))
    except (zlib.error, struct.error, ValueError) as error:
        message = f"the beginning of this baseline file is damaged; {_ADVICE}"
        raise BaselineFormatError(message) from error
    return found


def _check_prefix(data: bytes) -> int:
    """Return the stated length of the body."""
    if not data:
        message = f"this baseline file is empty; {_ADVICE}"
        raise BaselineFormatError(message)
    if not data.startswith(_MAGIC):
        found = f"it begins with {data[:4]!r}, not {_MAGIC!r}"
        message = f"this is not a baseline file: {found}; {_ADVICE}"
        raise BaselineFormatError(message)
    if len(data) < _HEADER_SIZE:
        message = f"this baseline file is cut short: it has only {len(data)} bytes; {_ADVICE}"
        raise BaselineFormatError(message)
    _, version, length = _PREFIX.unpack_from(data)
    if version != FORMAT_VERSION:
        message = (
            f"this baseline file has format {version}, this version of outputwatch reads format "
            f"{FORMAT_VERSION}; upgrade outputwatch or fit the baseline again"
        )
        raise BaselineFormatError(message)
    return int(length)


def _checked_body(data: bytes) -> bytes:
    length = _check_prefix(data)
    prefix, body = data[: _PREFIX.size], data[_HEADER_SIZE:]
    if len(body) < length:
        found = f"{len(body)} of {length} bytes are there"
        message = f"this baseline file is cut short: {found}; {_ADVICE}"
        raise BaselineFormatError(message)
    if hashlib.sha256(prefix + body).digest() != data[_PREFIX.size : _HEADER_SIZE]:
        message = f"this baseline file is damaged: its checksum does not match; {_ADVICE}"
        raise BaselineFormatError(message)
    return body


def _parse(body: bytes) -> tuple[Baseline, str]:
    summary, rest = _take_sized(memoryview(body))
    text, rest = _take_sized(rest)
    references, rest = _take_sized(rest)
    history, _ = _take_sized(rest)
    description = json.loads(bytes(text))
    layout = Layout.from_specification(description["layout"])
    slices, windows = description["slices"], description["history"]
    counts = decode_matrix(references, (len(slices), layout.n_cells))
    window_counts = decode_matrix(history, (len(windows), layout.n_cells))
    baseline = Baseline(
        schema=schema_from(description["schema"]),
        layout=layout,
        references={
            name: WindowSummary(layout, row) for name, row in zip(slices, counts, strict=True)
        },
        history=tuple(
            Window(key_from(key), WindowSummary(layout, row), complete)
            for (*key, complete), row in zip(windows, window_counts, strict=True)
        ),
        provenance=provenance_from(description["provenance"]),
    )
    return baseline, json.loads(bytes(summary))["id"]


def _sized(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def _take_sized(data: memoryview) -> tuple[memoryview, memoryview]:
    (length,) = _LENGTH.unpack_from(data)
    stop = _LENGTH.size + length
    if stop > len(data):
        message = f"a part of {length} bytes has only {len(data) - _LENGTH.size}"
        raise ValueError(message)
    return data[_LENGTH.size : stop], data[stop:]
