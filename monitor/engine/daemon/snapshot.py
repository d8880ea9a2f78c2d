"""The evidence between two decisions as bytes, and back.

What is kept are states that follow from the windows' counts: arrays, window keys, dataclasses of
ours. They are pickled, because they are many kinds of objects that share parts, but read back
with a reader that makes nothing except classes of this list, so that a database cannot run
code. A snapshot of another version, or a damaged one, is refused; the stored windows are then
judged anew, which gives the same evidence.
"""

import hashlib
import io
import pickle
import zlib
from dataclasses import is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from baselines.layout import Layout
from monitor import __version__
from monitor.errors import OutputwatchError

__all__ = ["SnapshotError", "read_snapshot", "write_snapshot"]

_MAGIC = b"outputwatch evidence 2 "
_LAYOUT = "layout"
_PACKAGES = ("baselines.", "detectors.", "monitor.")
_BUILT_IN = {
    ("collections", "deque"),
    ("collections", "OrderedDict"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("copyreg", "__newobj__"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}

_UNREADABLE = (
    pickle.UnpicklingError,
    zlib.error,
    EOFError,
    ImportError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What unpickling raises, it says, besides an error of its own."""


class SnapshotError(OutputwatchError):
    """A snapshot cannot be used; the evidence has to be gathered anew."""


def write_snapshot(state: object, layout: Layout) -> bytes:
    """Return a state as bytes; the layout itself is left out of it.

    Equal states need not give equal bytes: compare what they decide.
    """
    buffer = io.BytesIO()
    _Writer(buffer, layout).dump(state)
    body = zlib.compress(buffer.getvalue(), 1)
    return _header(body) + body


def read_snapshot(snapshot: bytes, layout: Layout) -> Any:  # noqa: ANN401  # it is what was written
    """Return the state that `write_snapshot` wrote.

    Raises
    ------
    SnapshotError
        If another version wrote it, it is damaged, or it names a class that is not ours.
    """
    header, newline, body = snapshot.partition(b"\n")
    if not newline or header + newline != _header(body):
        message = (
            f"the stored evidence must be of outputwatch {__version__} and undamaged, got "
            f"{header[:40]!r}"
        )
        raise SnapshotError(message)
    try:
        return _Reader(io.BytesIO(zlib.decompress(body)), layout).load()
    except _UNREADABLE as error:
        message = f"the stored evidence cannot be read: {error}"
        raise SnapshotError(message) from error


def _header(body: bytes) -> bytes:
    digest = hashlib.sha256(body).hexdigest()
    versions = f"{__version__} numpy {np.__version__} {digest}\n"
    return _MAGIC + versions.encode()


class _Writer(pickle.Pickler):
    def __init__(self, buffer: io.BytesIO, layout: Layout) -> None:
        super().__init__(buffer, protocol=5)
        self._layout = layout

    def persistent_id(self, value: object) -> str | None:
        """Return a name for the layout, which the baseline holds already."""
        return _LAYOUT if value is self._layout else None


class _Reader(pickle.Unpickler):
    def __init__(self, buffer: io.BytesIO, layout: Layout) -> None:
        super().__init__(buffer)
        self._layout = layout

    def persistent_load(self, name: object) -> Layout:
        """Return the layout."""
        if name != _LAYOUT:
            message = f"only the layout is left out of a snapshot, got {name!r}"
            raise pickle.UnpicklingError(message)
        return self._layout

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  # a class or function
        """Return a dataclass or enum of ours, or one of a few names of Python and numpy."""
        if (module, name) in _BUILT_IN:
            return super().find_class(module, name)
        if module.startswith(_PACKAGES):
            found = super().find_class(module, name)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, Enum)):
                return found
        message = f"a snapshot must hold states only, it names {module}.{name}"
        raise pickle.UnpicklingError(message)
