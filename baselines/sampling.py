"""A sample of rows that does not depend on their order or on how they were split.

Each row has a 64-bit key, a hash of its event id; the sample is the k rows with the smallest
keys. Any number of samples of parts of a log merge into the sample of the whole log.
"""

import functools
import hashlib

import numpy as np
import numpy.typing as npt

from baselines.columns import Categories, Columns, concatenate

__all__ = ["BottomK", "sample_key"]


def sample_key(event_id: str) -> int:
    """Return the 64-bit key of an event: the first 8 bytes of BLAKE2b of its id.

    Examples
    --------
    >>> sample_key("event-1") == sample_key("event-1") < 2**64
    True
    """
    # A lone surrogate can come out of JSON; it must not stop the sampling.
    data = event_id.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


class BottomK:
    """The k rows with the smallest keys among all rows seen; one row a key.

    Rows with one event id are the same event seen more than once. Should they differ, the one
    that sorts first by time, weight and values stays, whichever came first. Memory is bounded
    by about 2 k rows and one batch.

    Parameters
    ----------
    k
        How many rows to keep at most, at least one.

    References
    ----------
    .. [1] E. Cohen, H. Kaplan, Summarizing data using bottom-k sketches, PODC 2007.

    Examples
    --------
    >>> sample = BottomK(2)
    >>> ids = np.array(["a", "b", "c"], dtype=object)
    >>> sample.add(Columns(n_rows=3, time_us=np.array([1, 2, 3]), event_ids=ids))
    >>> sample.sample().n_rows
    2
    """

    __slots__ = ("_keys", "_n_pending", "_pending", "_rows", "k")

    def __init__(self, k: int) -> None:
        if k < 1:
            message = f"a sample keeps at least one row, got k = {k!r}"
            raise ValueError(message)
        self.k = k
        self._keys = np.empty(0, dtype=np.uint64)
        self._rows = Columns(n_rows=0, time_us=np.empty(0, dtype=np.int64))
        self._pending: list[tuple[npt.NDArray[np.uint64], Columns]] = []
        self._n_pending = 0

    def add(self, columns: Columns) -> None:
        """See further rows, which must have event ids; ValueError if they have none."""
        if columns.event_ids is None:
            message = "rows must have event ids to be sampled; ask the decoder for them"
            raise ValueError(message)
        ids = columns.event_ids.tolist()
        self._add(columns, np.fromiter(map(sample_key, ids), np.uint64, columns.n_rows))

    def merge(self, other: "BottomK") -> None:
        """See the rows that another sample kept; ValueError if it is of another size."""
        if self.k != other.k:
            message = f"samples of different sizes cannot be merged: {self.k} and {other.k}"
            raise ValueError(message)
        other._settle()
        self._add(other._rows, other._keys)

    def sample(self) -> Columns:
        """Return the rows kept, in the order of their keys."""
        self._settle()
        return self._rows

    def _add(self, columns: Columns, keys: npt.NDArray[np.uint64]) -> None:
        if len(self._keys) == self.k:
            # Most rows of a long log are refused here, before anything is copied.
            small = keys <= self._keys[-1]
            columns, keys = columns.take(small), keys[small]
        if columns.n_rows:
            self._pending.append((keys, columns))
            self._n_pending += columns.n_rows
        if self._n_pending >= self.k:
            self._settle()

    def _settle(self) -> None:
        """Merge what is pending into the rows kept."""
        if not self._pending:
            return
        pieces = [(self._keys, self._rows)] if len(self._keys) else []
        pieces += self._pending
        keys = np.concatenate([piece_keys for piece_keys, _ in pieces])
        rows = concatenate([piece for _, piece in pieces])
        kept = _smallest(self.k, keys, rows)
        self._keys, self._rows = keys[kept], _compact(rows.take(kept))
        self._pending, self._n_pending = [], 0


def _smallest(k: int, keys: npt.NDArray[np.uint64], columns: Columns) -> npt.NDArray[np.intp]:
    """Return the rows of the k smallest distinct keys, in the order of the keys."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    ends = np.append(starts[1:], len(ordered))
    kept = order[starts[:k]].astype(np.intp)
    for position in np.flatnonzero(ends[:k] - starts[:k] > 1):
        same = order[starts[position] : ends[position]].tolist()
        kept[position] = min(same, key=functools.partial(_row, columns))
    return kept


def _row(columns: Columns, row: int) -> tuple[object, ...]:
    """Return the row's time, weight and values, as one comparable key."""
    values: list[str] = []
    for name in sorted(columns.fields):
        field = columns.fields[name]
        if isinstance(field, Categories):
            code = field.codes[row]
            values.append("" if code < 0 else f"={field.levels[code]}")
        else:
            is_missing = field.missing is not None and field.missing[row]
            values.append("" if is_missing else f"={float(field.values[row]).hex()}")
    weight = 1 if columns.weights is None else int(columns.weights[row])
    return int(columns.time_us[row]), weight, *values


def _compact(columns: Columns) -> Columns:
    """Return the rows without the levels that no row has, so that memory stays bounded."""
    fields = {
        name: field.compact() if isinstance(field, Categories) else field
        for name, field in columns.fields.items()
    }
    return Columns(
        n_rows=columns.n_rows,
        time_us=columns.time_us,
        fields=fields,
        event_ids=columns.event_ids,
        weights=columns.weights,
    )
