"""Why records gave no row: the reason of each, the counts of all, samples of some."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from baselines.columns import Columns
from monitor.decoding.base import Decoded, Origin, Rejection, RejectionReason
from monitor.decoding.records import Mask

__all__ = [
    "MAX_SAMPLES",
    "Failure",
    "Place",
    "Refusals",
    "count_rejections",
    "describe_rejections",
    "refuse_all",
]

MAX_SAMPLES = 20
"""How many rejections of one block are described one by one."""

_EXCERPT_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A record that could not even be parsed, at `line` of the block, from 0."""

    line: int
    reason: RejectionReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the records stand in their block.

    Parameters
    ----------
    origin
        Where the block comes from.
    line_of
        The line of the n-th record in the block, from 0; None: the n-th line.
    text_of
        The raw bytes of a line of the block, for excerpts; None: not available.
    """

    origin: Origin
    line_of: Callable[[int], int] | None = None
    text_of: Callable[[int], bytes] | None = None


class Refusals:
    """The reason why each record is refused; the first reason counts."""

    def __init__(self, n_rows: int) -> None:
        self.code = np.zeros(n_rows, np.int16)
        self.kinds: list[tuple[RejectionReason, str | None, str]] = []

    def add(
        self, mask: Mask | None, reason: RejectionReason, column: str | None, detail: str
    ) -> None:
        """Refuse the records in `mask` that have not been refused yet; None: none."""
        if mask is None or not mask.any():
            return
        self.kinds.append((reason, column, detail))
        self.code[mask & (self.code == 0)] = len(self.kinds)


def refuse_all(
    reason: RejectionReason,
    detail: str,
    origin: Origin,
    *,
    n_records: int = 1,
    line: int | None = None,
) -> Decoded:
    """Return no rows and `n_records` rejections for one reason, described once."""
    columns = Columns(n_rows=0, time_us=np.zeros(0, np.int64))
    if n_records == 0:
        return Decoded(columns=columns, n_records=0)
    rejection = Rejection(
        reason=reason, path=origin.path, position=origin.position, line=line, detail=detail
    )
    return Decoded(
        columns=columns,
        rejections=(rejection,),
        rejected={reason: n_records},
        n_records=n_records,
    )


def count_rejections(refusals: Refusals, failures: list[Failure]) -> dict[RejectionReason, int]:
    """Return how many records were rejected, by reason."""
    counts: Counter[RejectionReason] = Counter(failure.reason for failure in failures)
    per_kind = np.bincount(refusals.code, minlength=len(refusals.kinds) + 1)[1:]
    for (reason, _, _), count in zip(refusals.kinds, per_kind.tolist(), strict=True):
        counts[reason] += count
    return {reason: counts[reason] for reason in sorted(counts) if counts[reason]}


def describe_rejections(
    refusals: Refusals, failures: list[Failure], place: Place, *, excerpts: bool
) -> tuple[Rejection, ...]:
    """Return the first rejections in order of line, at most `MAX_SAMPLES`."""
    found: list[tuple[int, RejectionReason, str | None, str]] = [
        (failure.line, failure.reason, None, failure.detail) for failure in failures[:MAX_SAMPLES]
    ]
    # Events that are no outputs are expected among outputs: counted, but no samples of them.
    expected = [
        code
        for code, kind in enumerate(refusals.kinds, start=1)
        if kind[0] is RejectionReason.NOT_AN_OUTPUT
    ]
    described = (refusals.code > 0) & ~np.isin(refusals.code, expected)
    for row in np.flatnonzero(described)[:MAX_SAMPLES].tolist():
        line = row if place.line_of is None else place.line_of(row)
        found.append((line, *refusals.kinds[refusals.code[row] - 1]))
    return tuple(
        Rejection(
            reason=reason,
            path=place.origin.path,
            position=place.origin.position,
            line=place.origin.first_line + line,
            column=column,
            detail=detail,
            excerpt=_excerpt(place, line) if excerpts else "",
        )
        for line, reason, column, detail in sorted(found, key=lambda one: one[0])[:MAX_SAMPLES]
    )


def _excerpt(place: Place, line: int) -> str:
    if place.text_of is None:
        return ""
    return place.text_of(line)[: 4 * _EXCERPT_CHARS].decode(errors="replace")[:_EXCERPT_CHARS]
