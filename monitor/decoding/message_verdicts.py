"""The verdicts of safety checks in parsed messages, the work done once for each distinct one."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from baselines.columns import Categories
from monitor.decoding.base import Remark
from monitor.decoding.checks import check_key, flat_outcome, outcome_code
from monitor.decoding.message_shape import Verdict
from monitor.decoding.records import ChecksFound

__all__ = ["verdicts_of"]


class _Known(dict[Verdict, int]):
    """Positions of the distinct verdicts of one batch, in order of appearance."""

    def __missing__(self, verdict: Verdict) -> int:
        position = self[verdict] = len(self)
        return position


def verdicts_of(values: Sequence[list[Verdict] | Verdict | bool | None]) -> ChecksFound:
    """Return the verdicts that messages hold, one value a message."""
    known = _Known()
    rows: list[int] = []
    places: list[int] = []
    flat: dict[int, bool] = {}
    for row, value in enumerate(values):
        if isinstance(value, list):
            rows += [row] * len(value)
            places += map(known.__getitem__, value)
        elif isinstance(value, Verdict):
            rows.append(row)
            places.append(known[value])
        elif value is not None:
            flat[row] = value
    keys = [check_key(one.stage, one.filter, one.category) for one in known]
    outcomes = [outcome_code(one.status, one.flagged, one.action) for one in known]
    names = sorted(set(keys))
    position = {name: place for place, name in enumerate(names)}
    found = np.array(places, np.intp)
    return ChecksFound(
        rows=np.array(rows, np.intp),
        keys=np.array([position[key] for key in keys], np.intp)[found],
        outcomes=np.array([code for code, _ in outcomes], np.intp)[found],
        names=names,
        flat=_flat(flat, len(values)) if flat else None,
        remarks=_remarks(found, [remarks for _, remarks in outcomes]),
    )


def _flat(verdicts: dict[int, bool], n_rows: int) -> Categories:
    levels = [flat_outcome(verdicts.get(row)) for row in range(n_rows)]
    return Categories.from_values(levels)


def _remarks(places: npt.NDArray[np.intp], of_each: list[list[Remark]]) -> Counter[Remark]:
    remarks: Counter[Remark] = Counter()
    for found, count in zip(of_each, np.bincount(places, minlength=len(of_each)), strict=True):
        for remark in found:
            remarks[remark] += int(count)
    return remarks
