"""The short forms of the notation: which outputs a rate, a gap or a mix stands for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from baselines.checks import (
    CHECK_PREFIX,
    CheckAction,
    CheckFlag,
    CheckStatus,
    check_outcome,
)
from baselines.schema import Schema
from detectors.action_mix import ActionMix
from detectors.base import Detector
from detectors.check_trigger_rate import CheckTriggerRate
from detectors.distribution_shift import DistributionShift
from detectors.filter_error_rate import FilterErrorRate
from detectors.filter_silence import FilterSilence
from detectors.flagged_not_acted import FlaggedNotActed
from detectors.missing_rate import MissingRate
from detectors.options import group_columns
from detectors.outcomes import positive_levels
from detectors.rate_change import RateChange
from detectors.safety_coverage import SafetyCoverage
from detectors.selection_rate_gap import SelectionRateGap
from detectors.unseen_levels import UnseenLevels
from detectors.volume import Volume
from monitor.policy_tests.notation import NotationError, Part

__all__ = ["Gap", "Mix", "Outputs", "Rate", "Value", "gap", "mix", "rate"]

Value = str | float | None

_OTHER = "another value"
_FLAGGED = check_outcome(CheckStatus.OK, CheckFlag.FLAGGED, CheckAction.BLOCK)
_LET_THROUGH = check_outcome(CheckStatus.OK, CheckFlag.FLAGGED, CheckAction.ALLOW)
_CLEAN = check_outcome(CheckStatus.OK, CheckFlag.CLEAN, CheckAction.ALLOW)
_FAILED = check_outcome(CheckStatus.ERROR, CheckFlag.UNKNOWN, CheckAction.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Some outputs that are alike.

    Parameters
    ----------
    values
        By column; a column that is not named has no value.
    number
        How many outputs, 0 or more.
    known
        Whether a baseline that holds these outputs knows their levels.
    """

    values: Mapping[str, Value]
    number: int
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What ``hits/total`` stands for.

    Parameters
    ----------
    column
        The column that decides.
    hit, miss
        Its value in outputs that are hits and in the others.
    means
        What hits are, in words.
    where
        Values of further columns.
    known
        Whether the baseline knows the value of hits.
    """

    column: str
    hit: Value
    miss: Value
    means: str
    where: Mapping[str, Value]
    known: bool = True

    def outputs(self, detector: str, part: Part) -> Iterator[Outputs]:
        """Yield the hits and the other outputs."""
        if part.hits is None or part.names:
            message = f"{detector} reads 'hits/total', where hits are {self.means}, got {part}"
            raise NotationError(message)
        misses = part.number - part.hits
        yield Outputs(
            values={**self.where, self.column: self.hit}, number=part.hits, known=self.known
        )
        yield Outputs(values={**self.where, self.column: self.miss}, number=misses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What ``group hits/total`` stands for: a rate of each group."""

    attributes: tuple[str, ...]
    rate: Rate

    def outputs(self, detector: str, part: Part) -> Iterator[Outputs]:
        """Yield the hits and the other outputs of one group."""
        if part.hits is None or len(part.names) != len(self.attributes):
            wanted = " & ".join(self.attributes)
            message = f"{detector} reads '{wanted} hits/total' for each group, got {part}"
            raise NotationError(message)
        group = dict(zip(self.attributes, part.names, strict=True))
        for each in self.rate.outputs(detector, Part(hits=part.hits, number=part.number)):
            yield Outputs(values={**group, **each.values}, number=each.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What counts stand for: outputs by level, by bin in order, or all of them.

    Parameters
    ----------
    column
        None: outputs are only counted.
    is_number
        Whether the column holds numbers.
    levels
        The values that there may be, by name; None: any.
    """

    column: str | None
    is_number: bool = False
    levels: Mapping[str, str] | None = None

    def outputs(self, detector: str, part: Part, position: int) -> Outputs:
        """Return the outputs of one level or bin."""
        named = self.levels is not None
        if part.hits is not None or len(part.names) > 1 or (named and not part.names):
            wanted = "counts by action, 'allow 950 | block 50'" if named else "counts"
            message = f"{detector} reads {wanted}, got {part}"
            raise NotationError(message)
        if self.column is None:
            return Outputs(values={}, number=part.number)
        return Outputs(values={self.column: self._value(part, position)}, number=part.number)

    def _value(self, part: Part, position: int) -> Value:
        if not part.names:
            return float(position) if self.is_number else f"level {position + 1}"
        name = part.names[0]
        if self.levels is not None:
            if name not in self.levels:
                message = f"must name one of {', '.join(self.levels)}, got {name!r}"
                raise NotationError(message)
            return self.levels[name]
        if not self.is_number:
            return name
        try:
            return float(name)
        except ValueError as error:
            message = f"{self.column!r} holds numbers, got {name!r}"
            raise NotationError(message) from error


def rate(detector: Detector, schema: Schema) -> Rate | None:
    """Return what ``hits/total`` stands for, None if the detector watches no rate."""
    match detector:
        case RateChange():
            where: dict[str, Value] = {}
            if detector.where_column is not None:
                where[detector.where_column] = detector.where_level
            return _positive(schema, detector.column, detector.level, where)
        case MissingRate():
            is_number = detector.column in schema and schema[detector.column].is_numeric
            value = 0.0 if is_number else "a value"
            return _rate(detector.column, None, value, "outputs without a value")
        case UnseenLevels():
            return Rate(
                column=detector.column,
                hit="an unseen level",
                miss="a level",
                means="outputs with a level that the baseline does not know",
                where={},
                known=False,
            )
    return _rate_of_check(detector)


def gap(detector: Detector, schema: Schema) -> Gap | None:
    """Return what ``group hits/total`` stands for, None if the detector compares no groups."""
    if not isinstance(detector, SelectionRateGap):
        return None
    of_each = _positive(schema, detector.outcome, detector.level, {})
    return Gap(attributes=group_columns(detector.group), rate=of_each)


def mix(detector: Detector, schema: Schema) -> Mix | None:
    """Return what counts stand for, None if the detector watches no mix and no number."""
    match detector:
        case DistributionShift():
            column = detector.column
            return Mix(column=column, is_number=column in schema and schema[column].is_numeric)
        case ActionMix():
            levels = {
                action.value: check_outcome(CheckStatus.OK, CheckFlag.FLAGGED, action)
                for action in CheckAction
            }
            return Mix(column=_column(detector.check), levels=levels)
        case Volume():
            return Mix(column=None)
    return None


def _rate_of_check(detector: Detector) -> Rate | None:
    match detector:
        case CheckTriggerRate() | FilterSilence():
            return _rate(_column(detector.check), _FLAGGED, _CLEAN, "flags among verdicts")
        case SafetyCoverage():
            means = "outputs with a working verdict"
            return _rate(_column(detector.check), _CLEAN, None, means)
        case FilterErrorRate():
            return _rate(_column(detector.check), _FAILED, _CLEAN, "checks that failed")
        case FlaggedNotActed():
            means = "flagged outputs that were let through"
            return _rate(_column(detector.check), _LET_THROUGH, _FLAGGED, means)
    return None


def _rate(column: str, hit: Value, miss: Value, means: str) -> Rate:
    return Rate(column=column, hit=hit, miss=miss, means=means, where={})


def _positive(schema: Schema, column: str, level: str | None, where: Mapping[str, Value]) -> Rate:
    """Return the rate of a column's positive level, of a check's flags."""
    levels = positive_levels(schema, column, level)
    hit, miss = (levels[0], _OTHER) if levels else (_FLAGGED, _CLEAN)
    means = f"outputs where {column} is {' or '.join(levels) or 'flagged'}"
    return Rate(column=column, hit=hit, miss=miss, means=means, where=where)


def _column(check: str) -> str:
    """Return the column of a check, or of a made-up category of a filter."""
    return f"{CHECK_PREFIX}{check}" + ("" if check.count("/") >= 2 else "/any")
