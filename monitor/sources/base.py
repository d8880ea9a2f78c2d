"""What a source of outputs is: a plan of units, each of which can be read on its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from baselines.schema import Schema
from detectors.registry import Registry
from monitor.decoding.base import Decoded, Needs
from monitor.errors import OutputwatchError

__all__ = [
    "SOURCES",
    "Decoded",
    "Needs",
    "NestedSource",
    "Source",
    "SourceError",
    "Unit",
    "registered_sources",
    "source",
]

_C = TypeVar("_C")


@dataclass(frozen=True, slots=True)
class NestedSource:
    """Marks an option that is itself a source: ``type`` and the options of that source."""


class SourceError(OutputwatchError):
    """A source cannot be read as it is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One part of a source that is read, counted and recorded as a whole.

    It can be pickled, so that a worker process needs nothing but the source and the unit.

    Parameters
    ----------
    id
        The same text for the same bytes: path as found, size, modification time in
        nanoseconds, and position.
    path
        The file.
    ordinal
        The unit's place in the plan, from 0.
    format
        ``jsonl``, ``csv`` or ``parquet``.
    size, mtime_ns
        The file's size in bytes and its modification time when it was planned.
    start, end
        The half-open range of bytes, None for the whole file. A line belongs to the range in
        which it begins.
    row_group
        The row group of a Parquet file.
    """

    id: str
    path: str
    ordinal: int
    format: str
    size: int
    mtime_ns: int
    start: int | None = None
    end: int | None = None
    row_group: int | None = None

    @property
    def position(self) -> str:
        """Return which part of the file this is, for people."""
        if self.row_group is not None:
            return f"row group {self.row_group}"
        if self.start is not None:
            return f"bytes {self.start}-{self.end}"
        return "whole file"


@runtime_checkable
class Source(Protocol):
    """Outputs that can be read part by part, in any order, any number of times."""

    name: ClassVar[str]

    def units(self) -> Sequence[Unit]:
        """Return the plan: every unit, in a fixed order.

        Raises
        ------
        SourceError
            If there is nothing to read.
        """
        ...

    def read(self, unit: Unit, schema: Schema, needs: Needs) -> Iterator[Decoded]:
        """Yield the unit's records block by block; memory does not grow with the unit.

        What cannot be read is yielded as rejections, never raised.
        """
        ...


SOURCES: Registry[Any] = Registry(
    kind="source", package="monitor.sources", entry_points="outputwatch.sources"
)


def source(cls: type[_C]) -> type[_C]:
    """Register a frozen dataclass as the source called `cls.name`."""
    return SOURCES.register(cls)


def registered_sources() -> Mapping[str, type[Any]]:
    """Return every source by name: this package's, then those of entry points."""
    return SOURCES.all()
