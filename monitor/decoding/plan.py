"""Which values of a record are wanted, where they stand and what they are for."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from baselines.checks import CHECK_PREFIX, check_column
from baselines.schema import Column, Role, Schema
from monitor.adapters.moe import MOE_NAME, MOE_OUTPUTS
from monitor.decoding.base import Needs, RecordRule
from monitor.features.registry import feature_of, with_features

__all__ = ["DecodingPlan", "FeatureColumn", "flat_check_column", "plan_decoding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureColumn:
    """A column that is computed from a text."""

    column: Column
    function: Callable[[str], float | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodingPlan:
    """What is read from each record.

    Parameters
    ----------
    needs
        What the caller asked for.
    timestamp, weight, event_id
        The columns with those roles, None where there is none or it is not wanted.
    values
        The numeric and categorical columns wanted.
    checks
        The safety-check columns wanted.
    features
        The text features wanted.
    rule
        Which records are outputs; None: all.
    """

    needs: Needs
    timestamp: Column | None
    weight: Column | None
    event_id: Column | None
    values: tuple[Column, ...]
    checks: tuple[Column, ...]
    features: tuple[FeatureColumn, ...]
    rule: RecordRule | None

    @property
    def paths(self) -> tuple[str, ...]:
        """Return every path that is read, without repeats."""
        single = [c for c in (self.timestamp, self.weight, self.event_id) if c is not None]
        columns = [*single, *self.values, *self.checks, *(f.column for f in self.features)]
        paths = [column.source_path for column in columns]
        if self.rule is not None:
            paths.append(self.rule.path)
        return tuple(dict.fromkeys(paths))

    def wants(self, name: str) -> bool:
        """Return whether the caller asked for the column `name`."""
        return self.needs.columns is None or name in self.needs.columns


def flat_check_column(name: str) -> str:
    """Return the check that a flat safety column called `name` holds.

    ``stage/filter/category``; of two parts the stage is taken to be ``output``, of one also
    the category ``any``.

    Examples
    --------
    >>> flat_check_column("output/moderation/hate"), flat_check_column("toxicity")
    ('check:output/moderation/hate', 'check:output/toxicity/any')
    """
    parts = name.removeprefix(CHECK_PREFIX).split("/", 2)
    if len(parts) == 1:
        return check_column("output", parts[0], "any")
    return check_column(*(["output", *parts] if len(parts) == 2 else parts))


def _wanted(column: Column, needs: Needs) -> bool:
    if needs.columns is None or column.name in needs.columns:
        return True
    return column.role is Role.SAFETY_CHECK and any(
        name.startswith(CHECK_PREFIX) for name in needs.columns
    )


@functools.lru_cache(maxsize=64)
def plan_decoding(schema: Schema, needs: Needs) -> DecodingPlan:
    """Return the plan for reading records of `schema`, text features included.

    The schema may have its feature columns already or not.
    """
    full = with_features(schema)
    wanted = [column for column in full if _wanted(column, needs)]
    features = {column.name: feature_of(column, full) for column in wanted}
    return DecodingPlan(
        needs=needs,
        timestamp=full.only(Role.TIMESTAMP),
        weight=full.only(Role.WEIGHT),
        event_id=full.only(Role.EVENT_ID) if needs.event_ids else None,
        values=tuple(
            column
            for column in wanted
            if (column.is_numeric or column.is_category) and features[column.name] is None
        ),
        checks=tuple(column for column in wanted if column.role is Role.SAFETY_CHECK),
        features=tuple(
            FeatureColumn(column=column, function=feature.function)
            for column in wanted
            if (feature := features[column.name]) is not None
        ),
        rule=MOE_OUTPUTS if schema.name == MOE_NAME else None,
    )
