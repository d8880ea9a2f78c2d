"""A sample of rows, spread over strata, that does not depend on the order of reading."""

import hashlib
import heapq
from collections import Counter
from dataclasses import dataclass, field

__all__ = ["MAX_STRATA", "OTHER_STRATA", "SampledStratum", "StratifiedSample"]

MAX_STRATA = 100
"""Strata that are told apart; the rows of later ones are taken together."""

OTHER_STRATA = "(other strata)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledStratum:
    """One stratum: how many rows there were, and those that were kept, as JSON text."""

    name: str
    n_rows: int
    kept: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class StratifiedSample:
    """Keeps the rows with the smallest hashes of each stratum.

    The hash of a row is over the incident and the row, so that the choice is neither anybody's
    nor that of the order of files, and another incident gets other rows. The same rows give
    the same sample, in whatever order they come.

    Parameters
    ----------
    incident_id
        The incident.
    max_rows
        Rows that are kept in all; at least 1.
    """

    incident_id: str
    max_rows: int
    _n_rows: Counter[str] = field(default_factory=Counter)
    _kept: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Return how many rows were seen."""
        return self._n_rows.total()

    def add(self, stratum: str, row: str) -> None:
        """Look at one row.

        Parameters
        ----------
        stratum
            Its stratum.
        row
            All of it that would be kept, as JSON text.
        """
        self._n_rows[stratum] += 1
        kept = self._kept.setdefault(stratum, [])
        # A heap with the largest hash at its root, which is the first to go.
        entry = (-_hash(self.incident_id, row), row)
        if len(kept) < self.max_rows:
            heapq.heappush(kept, entry)
        elif entry > kept[0]:
            heapq.heapreplace(kept, entry)

    def strata(self) -> tuple[SampledStratum, ...]:
        """Return the strata in order of name, each with its share of the rows that are kept.

        Every stratum gets a row in turn until all are given out, so that a rare one is not
        lost beside a frequent one. Where there are more strata than rows, hashes say which
        strata have one.
        """
        kept = self._taken_together()
        turns = sorted(kept, key=lambda name: _hash(self.incident_id, name))
        shares = dict.fromkeys(kept, 0)
        left = min(self.max_rows, sum(map(len, kept.values())))
        while left:
            for name in turns:
                if left and shares[name] < len(kept[name]):
                    shares[name] += 1
                    left -= 1
        n_rows = self._counted(kept)
        return tuple(
            SampledStratum(
                name=name,
                n_rows=n_rows[name],
                kept=tuple(row for _, row in sorted(rows, reverse=True)[: shares[name]]),
            )
            for name, rows in sorted(kept.items())
        )

    def _taken_together(self) -> dict[str, list[tuple[int, str]]]:
        names = sorted(self._kept, key=lambda name: (-self._n_rows[name], name))
        kept = {name: self._kept[name] for name in names[:MAX_STRATA]}
        rest = [entry for name in names[MAX_STRATA:] for entry in self._kept[name]]
        if rest:
            kept[OTHER_STRATA] = heapq.nlargest(self.max_rows, rest)
        return kept

    def _counted(self, kept: dict[str, list[tuple[int, str]]]) -> Counter[str]:
        counted: Counter[str] = Counter()
        for name, number in self._n_rows.items():
            counted[name if name in kept else OTHER_STRATA] += number
        return counted


def _hash(incident_id: str, text: str) -> int:
    digest = hashlib.sha256(f"{incident_id}\x1f{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
