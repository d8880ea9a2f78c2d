"""How the monitor decides: the ``decision`` section, and the rule of a detector's entry."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final

import annotated_types as at
from pydantic import PlainValidator, WithJsonSchema

from monitor.decision.budget import BUDGET_PATTERN, FalseAlarmBudget, read_budget

__all__ = [
    "DEFAULT_RULE",
    "DecisionQuestion",
    "DecisionRuleKind",
    "DecisionSettings",
    "EntryDecision",
]


class DecisionQuestion(StrEnum):
    """What is asked of the windows of a run.

    `MONITORING`: did a series leave its tolerance, and when; windows come one after another.
    `COMPARISON`: which series differ between the reference and the whole log.
    """

    MONITORING = "monitoring"
    COMPARISON = "comparison"


class DecisionRuleKind(StrEnum):
    """What makes a series fire.

    `EVIDENCE`: evidence gathered over windows, within the budget of false alarms.
    `THRESHOLD`: windows in a row whose whole interval is beyond tolerance.
    """

    EVIDENCE = "evidence"
    THRESHOLD = "threshold"


DEFAULT_RULE: Final = DecisionRuleKind.EVIDENCE
"""The rule of an entry that names none, for detectors that evidence can be gathered on."""

_Budget = Annotated[
    FalseAlarmBudget,
    PlainValidator(read_budget),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{BUDGET_PATTERN}$",
            "default": str(FalseAlarmBudget()),
        }
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSettings:
    """What is decided, and how many false alarms are accepted.

    Parameters
    ----------
    question
        ``monitoring``: did a series leave its tolerance, and when. ``comparison``: which
        series differ between the reference and the whole log.
    false_alarm_budget
        For monitoring: the expected number of false incidents over all series together,
        ``N per M days``, ``weeks``, ``months`` or ``years``.
    false_discovery_rate
        For comparison: the accepted share of false ones among the series that are named.
    utc_offset_seconds
        Whose hours of the day count as the same: seconds east of UTC.
    """

    question: DecisionQuestion = DecisionQuestion.MONITORING
    false_alarm_budget: _Budget = field(default_factory=FalseAlarmBudget)
    false_discovery_rate: Annotated[float, at.Gt(0), at.Lt(1)] = 0.05
    utc_offset_seconds: Annotated[int, at.Ge(-43_200), at.Le(50_400)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDecision:
    """How the series of one entry of ``detectors`` are decided.

    Parameters
    ----------
    rule
        ``evidence``: evidence over windows, within the budget of false alarms; ``threshold``:
        windows in a row beyond tolerance. None: the default of the detector.
    weight
        With the rule ``evidence``: the share of the budget, relative to other series.
    critical
        With the rule ``evidence``: whether one window may be enough.
    """

    rule: DecisionRuleKind | None = None
    weight: Annotated[float, at.Gt(0)] = 1.0
    critical: bool = False
