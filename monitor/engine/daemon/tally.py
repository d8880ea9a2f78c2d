"""What became of the records of a stream: every one of them has a place."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.decoding.base import RejectionReason, Remark

__all__ = ["StreamTally"]

_NUMBERS = (
    "n_records",
    "n_rows",
    "n_late",
    "n_amended",
    "n_duplicates",
    "n_waiting",
    "n_joined",
    "n_past_horizon",
    "n_crowded_out",
)


@dataclass(slots=True)
class StreamTally:
    """Counts the records of a partition, or of several.

    ``n_records == n_rows + n_late + n_duplicates + rejected + n_waiting + n_joined`` always
    holds. Late records that were added to a stored window are in both `n_late` and `n_amended`.
    Those two are of streams that are joined: records that wait for their other half, less
    those of any partition that were released, and labels that became part of their output.
    `n_past_horizon` and `n_crowded_out` say how many outputs were released without a label:
    because their time was over, or because too many waited. They are rows as well.
    """

    n_records: int = 0
    n_rows: int = 0
    n_late: int = 0
    n_amended: int = 0
    n_duplicates: int = 0
    n_waiting: int = 0
    n_joined: int = 0
    n_past_horizon: int = 0
    n_crowded_out: int = 0
    rejected: Counter[RejectionReason] = field(default_factory=Counter)
    remarks: Counter[Remark] = field(default_factory=Counter)

    @property
    def unaccounted(self) -> int:
        """Return the records without a place: 0, or there is a defect."""
        placed = self.n_rows + self.n_late + self.n_duplicates + self.rejected.total()
        return self.n_records - placed - self.n_waiting - self.n_joined

    def copy(self) -> "StreamTally":
        """Return one that counts on its own."""
        return StreamTally.total([self])

    @classmethod
    def total(cls, tallies: Iterable["StreamTally"]) -> "StreamTally":
        """Return several tallies, added up."""
        total = cls()
        for tally in tallies:
            for name in _NUMBERS:
                setattr(total, name, getattr(total, name) + getattr(tally, name))
            total.rejected.update(tally.rejected)
            total.remarks.update(tally.remarks)
        return total

    def less(self, before: "StreamTally") -> "StreamTally":
        """Return what was added since an earlier state of the same tally."""
        return StreamTally(
            **{name: getattr(self, name) - getattr(before, name) for name in _NUMBERS},
            rejected=self.rejected - before.rejected,
            remarks=self.remarks - before.remarks,
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            **{name: getattr(self, name) for name in _NUMBERS},
            "rejected": {str(reason): n for reason, n in sorted(self.rejected.items())},
            "remarks": {str(remark): n for remark, n in sorted(self.remarks.items())},
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "StreamTally":
        """Return the tally that `to_json` wrote; an empty record is an empty tally."""
        return cls(
            **{name: int(record.get(name, 0)) for name in _NUMBERS},
            rejected=Counter(
                {RejectionReason(key): int(n) for key, n in record.get("rejected", {}).items()}
            ),
            remarks=Counter({Remark(key): int(n) for key, n in record.get("remarks", {}).items()}),
        )
