"""Plans: what can be switched back, to what, how it is seen, and who has to agree."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import annotated_types as at
from pydantic import ConfigDict

from monitor.incidents.records import canonical_json
from monitor.rollbacks.adapter import Adapter, Diff, Observed, Probe
from monitor.rollbacks.errors import Refusal, RefusedError, RollbackError, UnreadableError
from monitor.rollbacks.values import check_reference

__all__ = [
    "PREVIOUS",
    "Evidence",
    "PlanKind",
    "PlanOptions",
    "Release",
    "RollbackPlan",
    "Target",
    "Verification",
    "is_named",
    "plan_named",
    "resolve_target",
]

PREVIOUS = "previous"
"""The last release with passing evidence before the one in force."""


class PlanKind(StrEnum):
    """What a plan switches."""

    MODEL = "model"
    PROMPT = "prompt"
    CONFIGURATION = "configuration"
    ROUTE = "route"
    GUARDRAIL = "guardrail"
    OFF = "off"


class Evidence(StrEnum):
    """What is known of a release's results, in tolerance or not."""

    PASSING = "passing"
    FAILING = "failing"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Something that a plan may go back to.

    Parameters
    ----------
    reference
        What the adapter is given: a version, a variant, a commit.
    serving
        What the serving path shows when this release answers; empty: the reference.
    evidence
        Whether its results were within tolerance: for the metrics that the plan is for, and for
        every safety rule.
    evidence_source
        Where those results can be looked up.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    reference: Annotated[str, at.MinLen(1)]
    serving: str = ""
    evidence: Evidence = Evidence.NONE
    evidence_source: str = ""

    def __post_init__(self) -> None:
        """Refuse a reference that could not be handed on, and evidence without a source.

        Raises
        ------
        ValueError
            If it is one of these.
        """
        check_reference(self.reference)
        if self.evidence is Evidence.PASSING and not self.evidence_source:
            message = f"evidence_source must say where the evidence of {self.reference!r} is"
            raise ValueError(message)

    @property
    def shown(self) -> str:
        """Return what the serving path shows when this release answers."""
        return self.serving or self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """When a switch counts as served.

    Parameters
    ----------
    reads
        Reads in a row of plane and serving path that must show the target.
    interval_seconds
        Time between two reads.
    max_minutes
        How long after the switch they may take to do so.
    cache_seconds
        How long something on the serving path may go on with an old copy. The last read must
        be later than that: an earlier match may come from the one instance that was quick.
    series
        The monitored series that must come back within tolerance afterwards, each by its name
        or by that of its detector; empty: those of the incident.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    reads: Annotated[int, at.Ge(2), at.Le(100)] = 3
    interval_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 2.0
    max_minutes: Annotated[float, at.Gt(0), at.Le(60)] = 5.0
    cache_seconds: Annotated[float, at.Ge(0), at.Le(3_600)] = 0.0
    series: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a time within which nothing could be seen.

        Raises
        ------
        ValueError
            If the reads and the caches need longer than `max_minutes`.
        """
        needed = self.cache_seconds + self.reads * self.interval_seconds
        if needed > self.max_minutes * 60:
            message = (
                f"max_minutes must leave {needed:g} seconds for caches and reads, got "
                f"{self.max_minutes:g} minutes"
            )
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What a person writes down of a plan, besides its adapter and its probe.

    Parameters
    ----------
    name
        Names the plan.
    kind
        What it switches.
    target
        What is switched: plans with the same target never run at the same time.
    owner
        Who answers for the plan.
    to
        ``previous``, or the reference of a release.
    releases
        What it may go back to, oldest first.
    approvals
        Persons other than the one who asks that must agree. One more is needed for a release
        without passing evidence.
    approval_minutes
        How long an approval holds.
    high_risk
        Whether the register of systems calls it high-risk: whoever agrees must then say whether
        an authority has to be told before the system is altered [1]_.
    verification
        When it counts as served.

    References
    ----------
    .. [1] Regulation (EU) 2024/1689, Article 73(6).
    """

    name: Annotated[str, at.MinLen(1)]
    kind: PlanKind
    target: Annotated[str, at.MinLen(1)]
    owner: Annotated[str, at.MinLen(1)]
    to: str = PREVIOUS
    releases: Annotated[tuple[Release, ...], at.MinLen(1), at.MaxLen(100)]
    approvals: Annotated[int, at.Ge(1), at.Le(5)] = 1
    approval_minutes: Annotated[float, at.Gt(0), at.Le(1_440)] = 30.0
    high_risk: bool = False
    verification: Verification = field(default_factory=Verification)

    def __post_init__(self) -> None:
        """Refuse releases that are named twice, and a target that is none of them.

        Raises
        ------
        ValueError
            If it is one of these.
        """
        references = [release.reference for release in self.releases]
        for reference in references:
            if references.count(reference) > 1:
                message = f"releases must differ, got {reference!r} twice"
                raise ValueError(message)
        if self.to != PREVIOUS and self.to not in references:
            message = f"to must be {PREVIOUS!r} or one of the releases, got {self.to!r}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackPlan:
    """A plan with the adapter that switches and the probe that sees it served."""

    options: PlanOptions
    adapter: Adapter
    probe: Probe

    @property
    def name(self) -> str:
        """Return the name of the plan."""
        return self.options.name

    @property
    def target(self) -> str:
        """Return what is switched."""
        return self.options.target

    @property
    def digest(self) -> str:
        """Return a sha256 over every option: approvals do not outlive a change of the plan."""
        told: list[Any] = [self.options]
        for part in (self.adapter, self.probe):
            told += [part.name, part]
        return hashlib.sha256(canonical_json(told).encode()).hexdigest()


def is_named(series: str, names: Sequence[str]) -> bool:
    """Return whether a series is among those of a plan, by its whole name or its detector's.

    Examples
    --------
    >>> is_named("selection_rate_gap(approved, sex)", ["selection_rate_gap"])
    True
    """
    return series in names or series.partition("(")[0] in names


def plan_named(plans: Sequence[RollbackPlan], name: str) -> RollbackPlan:
    """Return the plan with a name, or with the only name that begins so.

    Raises
    ------
    RollbackError
        If there is none, or more than one.
    """
    exact = [each for each in plans if each.name == name]
    begun = [each for each in plans if each.name.casefold().startswith(name.casefold())]
    found = exact or begun
    if len(found) != 1 or not name:
        known = ", ".join(repr(each.name) for each in plans) or "none"
        message = f"one plan must be called {name!r}, got {len(found)}; configured: {known}"
        raise RollbackError(message)
    return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a plan would go back to now.

    Parameters
    ----------
    release
        The release.
    diff
        What the switch would change.
    remarks
        What the person who approves must know besides.
    """

    release: Release
    diff: Diff
    remarks: tuple[str, ...] = ()

    @property
    def has_evidence(self) -> bool:
        """Return whether the release has passing evidence."""
        return self.release.evidence is Evidence.PASSING


def resolve_target(plan: RollbackPlan, observed: Observed) -> Target:
    """Return what a plan would go back to from what is in force; nothing is written.

    Raises
    ------
    RefusedError
        If there is no release to go back to.
    UnreadableError
        If the plane does not have the release.
    """
    options = plan.options
    if options.to != PREVIOUS:
        release = next(each for each in options.releases if each.reference == options.to)
        return _target(plan, release)
    earlier = _before(plan, observed)
    passing = [each for each in earlier if each.evidence is Evidence.PASSING]
    if passing:
        return _target(plan, passing[-1])
    # A release that failed is no place to go back to, with or without a second person.
    unknown = [each for each in earlier if each.evidence is Evidence.NONE]
    if unknown:
        return _target(plan, unknown[-1], "no earlier release has passing evidence")
    message = (
        f"the plan {plan.name!r} must have a release before {observed.value!r} that did not "
        "fail; it has none: add one, or name it with 'to'"
    )
    raise RefusedError(Refusal.NO_TARGET, message)


def _target(plan: RollbackPlan, release: Release, *remarks: str) -> Target:
    told = [*remarks]
    if release.evidence is not Evidence.PASSING:
        told.append(
            f"evidence of {release.reference!r}: {release.evidence.value}; an older release may "
            "have the same failure or a worse one, so one more person must agree"
        )
    else:
        told.append(f"evidence of {release.reference!r}: passing, {release.evidence_source}")
    if plan.options.high_risk:
        told.append(
            "the system is high-risk: must an authority be told before it is altered "
            "(Regulation (EU) 2024/1689, Article 73(6))?"
        )
    diff = plan.adapter.diff(release.reference)
    return Target(release=release, diff=diff, remarks=tuple(told))


def _before(plan: RollbackPlan, observed: Observed) -> Sequence[Release]:
    """Return the releases before the one in force; all of them if it is not listed."""
    releases = plan.options.releases
    for position in reversed(range(len(releases))):
        if _in_force(plan, releases[position], observed):
            return releases[:position]
    return releases


def _in_force(plan: RollbackPlan, release: Release, observed: Observed) -> bool:
    if release.reference in (observed.value, observed.reference):
        return True
    try:
        return plan.adapter.diff(release.reference).to_value == observed.value
    except UnreadableError:
        # A release that the plane has no more is not the one in force.
        return False
