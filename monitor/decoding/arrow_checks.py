"""Safety checks in a pyarrow column of structs or of lists of structs."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from monitor.decoding.base import Remark
from monitor.decoding.checks import check_key, outcome_code
from monitor.decoding.records import ChecksFound
from monitor.decoding.values import InvalidValueError

__all__ = ["CHECK_KEYS", "CHECK_VERDICT", "structured_checks"]

CHECK_KEYS = ("stage", "filter", "category")
CHECK_VERDICT = ("status", "flagged", "action")

Codes = npt.NDArray[np.intp]
_R = TypeVar("_R")


def structured_checks(array: pa.Array) -> ChecksFound:
    """Return the verdicts in `array`, the work being done once for each distinct verdict."""
    if pa.types.is_struct(array.type):
        rows = np.flatnonzero(array.is_valid().to_numpy(zero_copy_only=False))
        entries = array.take(pa.array(rows))
    else:
        rows = pc.list_parent_indices(array).to_numpy().astype(np.intp)
        entries = pc.list_flatten(array)
    present = entries.is_valid().to_numpy(zero_copy_only=False)
    keys, names = _distinct(entries, CHECK_KEYS, check_key)
    verdicts, outcomes = _distinct(entries, CHECK_VERDICT, outcome_code)
    good = present & _is_known(names)[keys] & _is_known(outcomes)[verdicts]
    remarks: Counter[Remark] = Counter()
    remarks[Remark.MALFORMED_CHECK] = len(good) - int(good.sum())
    counts = np.bincount(verdicts[good], minlength=len(outcomes))
    for outcome, count in zip(outcomes, counts.tolist(), strict=True):
        for remark in outcome[1] if outcome is not None else ():
            remarks[remark] += count
    used = np.unique(keys[good])
    by_name = sorted(dict.fromkeys(name for key in used if (name := names[key]) is not None))
    place = {name: position for position, name in enumerate(by_name)}
    key_places = np.array([place.get(name or "", -1) for name in names], np.intp)
    codes = np.array([0 if outcome is None else outcome[0] for outcome in outcomes], np.intp)
    return ChecksFound(
        rows=rows[good],
        keys=key_places[keys[good]],
        outcomes=codes[verdicts[good]],
        names=by_name,
        remarks=+remarks,
    )


def _is_known(values: Sequence[object]) -> npt.NDArray[np.bool_]:
    return np.array([value is not None for value in values], np.bool_)


def _distinct(
    entries: pa.Array, fields: Sequence[str], convert: Callable[[object, object, object], _R]
) -> tuple[Codes, list[_R | None]]:
    """Return a code for each entry, and what `convert` makes of each distinct triple.

    None stands for a triple that is malformed.
    """
    combined = np.zeros(len(entries), np.intp)
    values: list[list[object]] = []
    for name in fields:
        codes, distinct = _encode(entries, name)
        combined = combined * len(distinct) + codes
        values.append(distinct)
    triples, positions = np.unique(combined, return_inverse=True)
    results: list[_R | None] = []
    for triple in triples.tolist():
        rest, third = divmod(triple, len(values[2]))
        first, second = divmod(rest, len(values[1]))
        try:
            results.append(convert(values[0][first], values[1][second], values[2][third]))
        except InvalidValueError:
            results.append(None)
    return positions.reshape(-1).astype(np.intp), results


def _encode(entries: pa.Array, name: str) -> tuple[Codes, list[object]]:
    if entries.type.get_field_index(name) < 0:
        return np.zeros(len(entries), np.intp), [None]
    field = pc.struct_field(entries, [name])
    if pa.types.is_null(field.type):
        return np.zeros(len(entries), np.intp), [None]
    if pa.types.is_nested(field.type):
        # A nested value is no text: one stand-in that is refused for all of them.
        return field.is_valid().to_numpy(zero_copy_only=False).astype(np.intp), [None, []]
    encoded = field if pa.types.is_dictionary(field.type) else field.dictionary_encode()
    distinct = [*encoded.dictionary.to_pylist(), None]
    codes = encoded.indices.cast(pa.int32()).fill_null(len(distinct) - 1).to_numpy()
    return codes.astype(np.intp), distinct
