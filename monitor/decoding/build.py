"""Records to rows: every column cast, every record that does not fit put aside with a reason."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from baselines.columns import Categories, Columns, Field, Numbers
from baselines.schema import Column, Dtype
from monitor.decoding.base import Decoded, RejectionReason, Remark
from monitor.decoding.checks import check_columns
from monitor.decoding.plan import DecodingPlan, FeatureColumn, flat_check_column
from monitor.decoding.records import Mask, Records
from monitor.decoding.refusals import (
    Failure,
    Place,
    Refusals,
    count_rejections,
    describe_rejections,
)
from monitor.decoding.times import INVALID, MISSING, OUT_OF_RANGE
from monitor.decoding.values import as_text, category_text, fit_dtype

__all__ = ["build"]

_MAX_WEIGHT = 10**12
_TIME_REASONS = {
    MISSING: RejectionReason.MISSING_TIMESTAMP,
    INVALID: RejectionReason.INVALID_TIMESTAMP,
    OUT_OF_RANGE: RejectionReason.TIMESTAMP_OUT_OF_RANGE,
}


def build(
    records: Records, plan: DecodingPlan, *, place: Place, failures: Iterable[Failure] = ()
) -> Decoded:
    """Return the rows that `records` give, and an account of the others.

    A record is refused for the first of these: it is no output, its time, its weight, a value
    that does not fit its column (in the order of the schema).
    """
    refusals = Refusals(records.n_rows)
    remarks: Counter[Remark] = Counter()
    _apply_rule(records, plan, refusals)
    time_us = _time(records, plan, refusals)
    weights = _weights(records, plan, refusals)
    fields: dict[str, Field] = {}
    for column in plan.values:
        fields[column.name] = _value(records, column, refusals)
    for column in plan.checks:
        _checks(records, column, plan, refusals, fields, remarks)
    _features(records, plan.features, refusals, fields)
    columns = Columns(
        n_rows=records.n_rows,
        time_us=time_us,
        fields=fields,
        event_ids=_event_ids(records, plan),
        weights=weights,
    )
    good = refusals.code == 0
    parsed = list(failures)
    return Decoded(
        columns=columns if good.all() else columns.take(good),
        rejections=describe_rejections(refusals, parsed, place, excerpts=plan.needs.excerpts),
        rejected=count_rejections(refusals, parsed),
        n_records=records.n_rows + len(parsed),
        remarks=dict(+remarks),
    )


def _apply_rule(records: Records, plan: DecodingPlan, refusals: Refusals) -> None:
    if plan.rule is None or not records.has(plan.rule.path):
        return
    found = records.categories(plan.rule.path, as_text)
    levels = found.categories.levels
    refused = np.array([level not in plan.rule.accepted for level in levels] + [False], np.bool_)
    mask = refused[found.categories.codes]
    if found.unfit is not None:
        mask |= found.unfit
    detail = f"{plan.rule.path} is not {' or '.join(sorted(plan.rule.accepted))}"
    refusals.add(mask, RejectionReason.NOT_AN_OUTPUT, None, detail)


def _time(records: Records, plan: DecodingPlan, refusals: Refusals) -> npt.NDArray[np.int64]:
    column = plan.timestamp
    if column is None:
        return np.zeros(records.n_rows, np.int64)
    times = records.times(column.source_path, column.unit)
    if times.state.any():
        for state, reason in _TIME_REASONS.items():
            refusals.add(times.state == state, reason, column.name, f"at {column.source_path}")
    return times.us


def _weights(
    records: Records, plan: DecodingPlan, refusals: Refusals
) -> npt.NDArray[np.int64] | None:
    column = plan.weight
    if column is None:
        return None
    found = records.numbers(column.source_path)
    values = found.values
    with np.errstate(invalid="ignore"):
        bad = ~((values >= 0) & (values <= _MAX_WEIGHT) & (values == np.rint(values)))
    for mask in (found.missing, found.unfit):
        if mask is not None:
            bad |= mask
    detail = f"must be an integer from 0 to {_MAX_WEIGHT}"
    refusals.add(bad, RejectionReason.INVALID_WEIGHT, column.name, detail)
    return np.where(bad, 0, values).astype(np.int64)


def _value(records: Records, column: Column, refusals: Refusals) -> Field:
    if column.is_numeric:
        return _number(records, column, refusals)
    if column.threshold is not None:
        return _above_threshold(records, column, column.threshold, refusals)
    dtype = column.value_dtype
    found = records.categories(column.source_path, lambda value: category_text(value, dtype))
    _refuse(found.unfit, column, refusals)
    return found.categories


def _number(records: Records, column: Column, refusals: Refusals) -> Numbers:
    found = records.numbers(column.source_path)
    values, unfit = fit_dtype(found.values, column.value_dtype)
    _refuse(found.unfit, column, refusals)
    _refuse(unfit, column, refusals)
    return Numbers(values, found.missing)


def _above_threshold(
    records: Records, column: Column, threshold: float, refusals: Refusals
) -> Categories:
    """Return true where the value reaches the threshold.

    A value that is not a number has a level of its own, so that it counts as neither.
    """
    dtype = column.value_dtype if column.dtype is not None else Dtype.FLOAT64
    found = records.numbers(column.source_path)
    values, unfit = fit_dtype(found.values, dtype)
    _refuse(found.unfit, column, refusals)
    _refuse(unfit, column, refusals)
    with np.errstate(invalid="ignore"):
        codes = (values >= threshold).astype(np.int32)
    codes[np.isnan(values)] = 2
    if found.missing is not None:
        codes[found.missing] = -1
    return Categories(codes, ("false", "true", "nan"))


def _refuse(mask: Mask | None, column: Column, refusals: Refusals) -> None:
    detail = f"cannot be cast to {column.value_dtype.value}"
    refusals.add(mask, RejectionReason.INVALID_VALUE, column.name, detail)


def _checks(
    records: Records,
    column: Column,
    plan: DecodingPlan,
    refusals: Refusals,
    fields: dict[str, Field],
    remarks: Counter[Remark],
) -> None:
    found = records.checks(column.source_path)
    detail = "must be a check, a list of checks, true or false"
    refusals.add(found.unfit, RejectionReason.INVALID_VALUE, column.name, detail)
    remarks.update(found.remarks)
    everything = plan.needs.columns is None or column.name in plan.needs.columns
    kept = np.array([everything or plan.wants(name) for name in found.names], np.bool_)
    chosen = kept[found.keys] if len(found.names) else np.zeros(0, np.bool_)
    names = [name for name, keep in zip(found.names, kept, strict=True) if keep]
    places = (np.cumsum(kept) - 1).astype(np.intp)
    columns, n_dropped = check_columns(
        found.rows[chosen],
        places[found.keys[chosen]],
        names,
        found.outcomes[chosen],
        records.n_rows,
    )
    remarks[Remark.TOO_MANY_CHECKS] += n_dropped
    fields.update(columns)
    name = flat_check_column(column.name)
    if found.flat is not None and (everything or plan.wants(name)):
        fields[name] = found.flat


def _features(
    records: Records,
    features: tuple[FeatureColumn, ...],
    refusals: Refusals,
    fields: dict[str, Field],
) -> None:
    for path in dict.fromkeys(feature.column.source_path for feature in features):
        found = records.texts(path)
        rows = np.array([text is not None for text in found.texts], np.bool_)
        texts = [text for text in found.texts if text is not None]
        for feature in features:
            if feature.column.source_path == path:
                refusals.add(
                    found.unfit, RejectionReason.INVALID_VALUE, feature.column.name, "not a text"
                )
                fields[feature.column.name] = _feature(feature, texts, rows)


def _feature(feature: FeatureColumn, texts: list[str], rows: Mask) -> Field:
    values = np.zeros(len(rows))
    values[rows] = [float(feature.function(text)) for text in texts]
    if feature.column.is_numeric:
        return Numbers(values, None if rows.all() else ~rows)
    codes = np.where(rows, values != 0, -1).astype(np.int32)
    return Categories(codes, ("false", "true"))


def _event_ids(records: Records, plan: DecodingPlan) -> npt.NDArray[np.object_] | None:
    """Return the ids as strings, None where a record has none."""
    if not plan.needs.event_ids:
        return None
    ids = np.full(records.n_rows, None, np.object_)
    if plan.event_id is not None:
        ids[:] = records.texts(plan.event_id.source_path).texts
    return ids
