"""From a finding and a register to what a severity policy is told."""

from dataclasses import dataclass, replace
from typing import Final

from detectors.base import Estimate, FailureMode, Finding, Verdict
from monitor.incidents.observations import SignalKind
from monitor.incidents.records import from_record, to_record
from monitor.incidents.suggestion import Suggestion, Tier, worse
from monitor.severity.inputs import Evidence, Fact, SeverityInputs
from monitor.severity.register import SystemRegister
from monitor.severity.registry import SeverityPolicy

__all__ = [
    "Course",
    "cannot_see_suggestion",
    "severity_inputs",
    "suggested",
    "suggested_again",
]

_US_PER_DAY = 86_400_000_000
# An impact ratio in the sense of the four-fifths rule is one of selection rates.
_SELECTION: Final = frozenset({"selection_rate_gap"})
_GUARDRAIL: Final = frozenset({"safety_coverage"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a breach went so far.

    Parameters
    ----------
    n_windows
        Windows beyond the tolerance since the onset.
    n_exposed
        Outputs that these windows' breaches concern.
    n_rows_all
        Outputs of the latest window in all slices together, None if not known.
    n_exposed_now
        Outputs of the latest window that the breach concerns.
    onset_us, now_us
        Start of the first breaching window and end of the latest, microseconds; the onset is
        None where events have no times.
    """

    n_windows: int
    n_exposed: int
    n_exposed_now: int
    n_rows_all: int | None
    onset_us: int | None
    now_us: int

    @property
    def days(self) -> float | None:
        """Return the time since the onset, in days; None if it is not known."""
        if self.onset_us is None:
            return None
        return max(0, self.now_us - self.onset_us) / _US_PER_DAY


def severity_inputs(
    finding: Finding, *, slice_: str, course: Course, register: SystemRegister
) -> SeverityInputs:
    """Return what is measured and declared about one breach.

    Parameters
    ----------
    finding
        The latest finding.
    slice_
        The slice it is about.
    course
        How the breach went so far.
    register
        What was declared of the system.
    """
    protected = _protected_group_worse_off(finding, slice_, register)
    share = None
    if course.n_rows_all:
        share = min(1.0, course.n_exposed_now / course.n_rows_all)
    return SeverityInputs(
        failure_mode=finding.failure_mode,
        departure=finding.departure,
        evidence=_evidence(finding, course.n_windows),
        share=share,
        people=round(course.n_exposed / register.share_of_traffic),
        days=course.days,
        protected_group_worse_off=protected,
        undeclared_worse_off=() if protected else finding.worse_off,
        impact_ratio=_impact_ratio(finding),
        stakes=register.stakes,
        reversibility=register.reversibility,
        vulnerable_users=register.vulnerable_users,
        shadow=register.shadow,
        facts=_facts(finding),
    )


def suggested(policy: SeverityPolicy, inputs: SeverityInputs) -> Suggestion:
    """Return what a policy suggests of a breach, with what it was told."""
    return replace(policy.suggest(inputs), inputs=to_record(inputs))


def suggested_again(
    policy: SeverityPolicy, suggestion: Suggestion, kind: SignalKind
) -> Suggestion | None:
    """Return what a policy suggests on the inputs of an earlier suggestion.

    None if the suggestion has no inputs: it is older than they are kept, or a person reported
    what it is about.
    """
    if suggestion.inputs is None:
        return None
    inputs = from_record(SeverityInputs, suggestion.inputs)
    if kind is SignalKind.CANNOT_SEE:
        return _of_not_seeing(policy, inputs)
    return suggested(policy, inputs)


def cannot_see_suggestion(
    policy: SeverityPolicy,
    *,
    register: SystemRegister,
    unseen_days: float | None,
    failure_mode: FailureMode | None = None,
) -> Suggestion:
    """Return the tier of not seeing: SEV4, from one day on SEV3; None is unknown.

    What it hides may be as bad as the policy says of a system about which only the register
    is known.
    """
    inputs = SeverityInputs(
        failure_mode=failure_mode,
        evidence=Evidence.NOT_ESTABLISHED,
        days=unseen_days,
        stakes=register.stakes,
        reversibility=register.reversibility,
        vulnerable_users=register.vulnerable_users,
        shadow=register.shadow,
    )
    return _of_not_seeing(policy, inputs)


def _of_not_seeing(policy: SeverityPolicy, inputs: SeverityInputs) -> Suggestion:
    hidden = policy.suggest(inputs)
    tier, reason = Tier.SEV4, "the monitor has not seen this series"
    if inputs.days is not None:
        tier = Tier.SEV3 if inputs.days >= 1 else Tier.SEV4
        reason += f" for {inputs.days:.3g} days"
    return Suggestion(
        tier=tier,
        could_be=worse(tier, hidden.could_be),
        axes=hidden.axes,
        reasons=(reason,),
        unknowns=("what the series would show", *hidden.unknowns),
        policy=hidden.policy,
        inputs=to_record(inputs),
    )


def _evidence(finding: Finding, n_windows: int) -> Evidence:
    if finding.verdict is not Verdict.BEYOND:
        return Evidence.NOT_ESTABLISHED
    return Evidence.REPEATED if n_windows > 1 else Evidence.ONE_WINDOW


def _protected_group_worse_off(
    finding: Finding, slice_: str, register: SystemRegister
) -> bool | None:
    protected = set(register.protected_attributes)
    if finding.failure_mode is FailureMode.BIAS and not protected:
        return None
    in_slice = {part.partition("=")[0] for part in slice_.split(",") if "=" in part}
    return bool(finding.worse_off and protected & set(finding.columns)) or bool(
        protected & in_slice
    )


def _impact_ratio(finding: Finding) -> Estimate | None:
    if finding.detector not in _SELECTION:
        return None
    for measure in finding.measures:
        if measure.name == "impact_ratio" and None not in (measure.low, measure.high):
            return Estimate(measure.value, measure.low or 0.0, measure.high or 0.0)
    return None


def _facts(finding: Finding) -> frozenset[Fact]:
    if finding.detector in _GUARDRAIL and finding.verdict is Verdict.BEYOND:
        return frozenset({Fact.GUARDRAIL_MISSING})
    return frozenset()
