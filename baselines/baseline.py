"""A frozen baseline: what normal outputs looked like, and how much normal varied."""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from baselines.description import (
    Provenance,
    describe_key,
    describe_provenance,
    describe_schema,
)
from baselines.layout import Layout, LayoutMismatchError
from baselines.reference import Reference
from baselines.schema import Schema
from baselines.summary import Window, WindowSummary

__all__ = ["ALL_TRAFFIC", "Baseline", "Provenance"]

ALL_TRAFFIC = "all"
"""The slice that holds every output."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline:
    """What windows are compared with.

    Parameters
    ----------
    schema
        The columns of an event.
    layout
        The grids that reference rows and windows are counted on.
    references
        Counts of all reference rows by slice; has ``all``.
    history
        The reference rows again, window by window, in order of key.
    provenance
        Where it comes from.

    Raises
    ------
    ValueError
        If there are no counts of all traffic.
    LayoutMismatchError
        If some counts were made on another layout.
    """

    schema: Schema
    layout: Layout
    references: Mapping[str, WindowSummary]
    history: tuple[Window, ...] = field(default=())
    provenance: Provenance

    def __post_init__(self) -> None:
        if ALL_TRAFFIC not in self.references:
            message = (
                f"a baseline needs the slice {ALL_TRAFFIC!r}, got {sorted(self.references)!r}"
            )
            raise ValueError(message)
        counted = {summary.layout for summary in self.references.values()}
        counted |= {window.summary.layout for window in self.history}
        if counted != {self.layout}:
            ids = sorted(layout.id for layout in counted)
            message = f"all counts must be on the layout {self.layout.id}, got {ids!r}"
            raise LayoutMismatchError(message)

    def description(self) -> dict[str, Any]:
        """Return everything but the counts, JSON-ready; slices in sorted order."""
        return {
            "schema": describe_schema(self.schema),
            "layout": self.layout.specification(),
            "slices": sorted(self.references),
            "history": [[*describe_key(w.key), w.complete] for w in self.history],
            "provenance": describe_provenance(self.provenance),
        }

    @functools.cached_property
    def id(self) -> str:
        """Return the sha256 of schema, layout and counts, in hexadecimal.

        It is taken over the content, not over a file's bytes: the format of files and the
        compression library may change, the id does not. The provenance is left out, so that
        the same rows give the same id, and with it the same findings, wherever and whenever
        they are fitted.
        """
        description = self.description()
        del description["provenance"]
        digest = hashlib.sha256()
        digest.update(canonical_json(description))
        for slice_name in sorted(self.references):
            digest.update(self.references[slice_name].canonical_bytes())
        for window in self.history:
            digest.update(window.summary.canonical_bytes())
        return digest.hexdigest()

    @functools.cached_property
    def _history_by_slice(self) -> Mapping[str, tuple[Window, ...]]:
        found: dict[str, list[Window]] = {}
        for window in self.history:
            found.setdefault(window.key.slice, []).append(window)
        return {name: tuple(windows) for name, windows in found.items()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Baseline):
            return NotImplemented
        return self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def reference(self, slice_name: str = ALL_TRAFFIC, *, min_rows: int = 1) -> Reference:
        """Return what a window of `slice_name` is compared with.

        That is the slice's own counts and history if it has at least `min_rows` reference
        rows, else those of all traffic; `Reference.slice` tells which.
        """
        summary = self.references.get(slice_name)
        if summary is None or summary.n_rows < min_rows:
            slice_name, summary = ALL_TRAFFIC, self.references[ALL_TRAFFIC]
        return Reference(
            schema=self.schema,
            summary=summary,
            history=self._history_by_slice.get(slice_name, ()),
            slice=slice_name,
        )


def canonical_json(value: object) -> bytes:
    """Return the one JSON text of `value`: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")
