"""Counts as compact bytes: byte planes, because most counts are zero or small."""

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "BaselineFormatError",
    "decode_counts",
    "decode_matrix",
    "encode_counts",
    "encode_matrix",
    "encoded_length",
]

_COUNTS_FORMAT = 1
_COUNTS_HEADER = struct.Struct("<BBI")


class BaselineFormatError(ValueError):
    """Bytes that are not a baseline, or not one that this version can read."""


def encode_counts(counts: npt.NDArray[np.int64]) -> bytes:
    """Return one vector of counts as compact bytes.

    Byte planes: which counts are above zero (one bit each) and their lowest bytes; which of
    those are above 255 and their next bytes; and so on. Zeros cost one bit.

    Parameters
    ----------
    counts
        Non-negative int64 of shape (n_cells,).

    Raises
    ------
    ValueError
        If a count is negative.

    Examples
    --------
    >>> len(encode_counts(np.zeros(5000, dtype=np.int64)))
    6
    >>> decode_counts(encode_counts(np.array([70000, 0, 3])), 3).tolist()
    [70000, 0, 3]
    """
    if len(counts) and counts.min() < 0:
        message = f"counts must not be negative, got {int(counts.min())}"
        raise ValueError(message)
    parts: list[bytes] = []
    rest = counts
    while rest.any():
        above = rest > 0
        rest = rest[above]
        parts += [np.packbits(above).tobytes(), rest.astype(np.uint8).tobytes()]
        rest = rest >> 8
    return _COUNTS_HEADER.pack(_COUNTS_FORMAT, len(parts) // 2, len(counts)) + b"".join(parts)


def encoded_length(data: bytes) -> int:
    """Return how many counts `encode_counts` wrote into these bytes.

    Raises
    ------
    BaselineFormatError
        If the bytes are not encoded counts.

    Examples
    --------
    >>> encoded_length(encode_counts(np.array([70000, 0, 3])))
    3
    """
    if len(data) < _COUNTS_HEADER.size or data[0] != _COUNTS_FORMAT:
        message = f"these {len(data)} bytes are not encoded counts"
        raise BaselineFormatError(message)
    return int(_COUNTS_HEADER.unpack_from(data)[2])


def decode_counts(data: bytes, n_cells: int) -> npt.NDArray[np.int64]:
    """Return the vector of shape (n_cells,) that `encode_counts` wrote.

    Raises
    ------
    BaselineFormatError
        If the bytes are not those of a vector of this length.
    """
    stated = encoded_length(data)
    n_planes = data[1]
    if stated != n_cells:
        message = f"these bytes hold {stated} counts, not {n_cells}"
        raise BaselineFormatError(message)
    counts = np.zeros(n_cells, dtype=np.int64)
    cells = np.arange(n_cells)
    position = _COUNTS_HEADER.size
    for plane in range(n_planes):
        bitmap = np.frombuffer(data[position : position + (len(cells) + 7) // 8], dtype=np.uint8)
        above = np.unpackbits(bitmap, count=len(cells)).view(np.bool_)
        position += len(bitmap)
        cells = cells[above]
        values = np.frombuffer(data[position : position + len(cells)], dtype=np.uint8)
        position += len(cells)
        if len(values) == len(cells):
            counts[cells] |= values.astype(np.int64) << (8 * plane)
    if position != len(data):
        message = f"these bytes of {n_cells} counts are cut short or damaged"
        raise BaselineFormatError(message)
    return counts


def encode_matrix(rows: Sequence[npt.NDArray[np.int64]]) -> bytes:
    """Return vectors of one length as bytes: the width of a count, then byte plane by plane."""
    matrix = np.array(rows, dtype="<u8")
    largest = int(matrix.max()) if matrix.size else 0
    width = next(width for width in (1, 2, 4, 8) if largest < 2 ** (8 * width))
    narrow = matrix.astype(f"<u{width}").reshape(-1, 1).view(np.uint8)
    # Bytes of one significance lie together: high ones are mostly zero and compress well.
    return bytes([width]) + narrow.T.tobytes()


def decode_matrix(data: memoryview, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Return the matrix of `shape` that `encode_matrix` wrote; ValueError if it is another."""
    width = data[0]
    planes = np.frombuffer(data[1:], dtype=np.uint8).reshape(width, shape[0] * shape[1])
    narrow = np.ascontiguousarray(planes.T).reshape(-1).view(f"<u{width}")
    return narrow.astype(np.int64).reshape(shape)
