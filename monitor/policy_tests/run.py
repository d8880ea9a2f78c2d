"""Judge the made-up windows of a test with the code of the monitor, and compare."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from monitor.clock import FixedClock
from monitor.config.decision import DecisionRuleKind
from monitor.config.model import Configuration
from monitor.config.problems import Place
from monitor.decision.evidence import Evidence
from monitor.decision.state import State
from monitor.decision.surveillance import MIN_HISTORY_WINDOWS
from monitor.engine.incident_desk import IncidentDesk
from monitor.engine.judgement import Judge, Judged
from monitor.engine.unstored_incidents import UnstoredIncidents
from monitor.incidents.model import Incident
from monitor.incidents.suggestion import Tier
from monitor.policy_tests.model import Expected, MadeSeries, PolicyTest, PolicyTests
from monitor.policy_tests.synthesis import Scene, made_scene
from monitor.severity.registry import SeverityPolicy

__all__ = ["Miss", "Seen", "TestOutcome", "run_policy_test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Where a series stood after a window.

    Parameters
    ----------
    state
        Its state.
    tier
        The suggested tier of the open incident that it belongs to; None without one.
    share
        Evidence of a change as a share of what an alarm takes, 0 or more; None for series
        that a threshold decides, in shadow and while firing.
    sentence
        What the finding says.
    """

    state: State
    tier: Tier | None
    share: float | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """One expectation that does not hold.

    Parameters
    ----------
    place
        Of the expectation in the file.
    series, slice, window
        What it is about; windows are counted from 1.
    expected, found
        In words.
    seen
        All that was seen.
    """

    place: Place
    series: str
    slice: str
    window: int
    expected: str
    found: str
    seen: Seen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOutcome:
    """What became of a test: no miss is a pass."""

    __test__ = False  # its name begins like that of a class of tests

    test: PolicyTest
    misses: tuple[Miss, ...]


def run_policy_test(tests: PolicyTests, test: PolicyTest, policy: SeverityPolicy) -> TestOutcome:
    """Return which expectations of a test do not hold.

    Parameters
    ----------
    tests
        The file that the test is in.
    test
        The test.
    policy
        Suggests tiers.

    Raises
    ------
    ConfigurationError
        If the series of the test contradict each other.
    """
    scene = made_scene(test, tests.configuration, tests.window_seconds)
    seen = _watched(_configuration(tests, test), scene, test, policy)
    misses = (miss for series in test.series for miss in _misses(series, seen))
    return TestOutcome(test=test, misses=tuple(misses))


_Seen = dict[tuple[str, str, int], Seen]


def _configuration(tests: PolicyTests, test: PolicyTest) -> Configuration:
    """Return the policy for the series of a test, with the thresholds of the whole monitor.

    The series of the test get the share of the budget that they have beside all others.
    """
    configuration = tests.configuration
    tested = {each.entry.series for each in test.series}
    slices = {each.slice for each in test.series}
    whole = max(tests.slices, len(slices)) * sum(
        entry.weight
        for entry in configuration.detectors
        if entry.rule is DecisionRuleKind.EVIDENCE
    )
    lengths = [len(each.baseline) for each in test.series if each.baseline is not None]
    watched = sum(
        each.entry.weight
        for each in test.series
        if each.entry.rule is DecisionRuleKind.EVIDENCE and max(lengths) >= MIN_HISTORY_WINDOWS
    )
    budget = configuration.decision.false_alarm_budget
    if watched:
        budget = replace(budget, incidents=budget.incidents * min(watched / whole, 1.0))
    return replace(
        configuration,
        detectors=tuple(each for each in configuration.detectors if each.series in tested),
        decision=replace(configuration.decision, false_alarm_budget=budget),
    )


def _watched(
    configuration: Configuration, scene: Scene, test: PolicyTest, policy: SeverityPolicy
) -> _Seen:
    judge = Judge(configuration=configuration, baseline=scene.baseline, policy=policy)
    desk = IncidentDesk.over(UnstoredIncidents(), configuration, FixedClock(0))
    judge.compare_all([windows for windows in scene.windows if windows])
    wanted = {(each.entry.series, each.slice) for each in test.series}
    seen: _Seen = {}
    for number, windows in enumerate(scene.windows, start=1):
        if not windows:
            continue
        judgement = judge.judge(windows)
        desk.take(judgement)
        for judged in judgement.judged:
            series, slice_ = judged.entry.series, judged.window.key.slice
            if (series, slice_) in wanted:
                seen[series, slice_, number] = _seen(judged, desk.incidents)
    return seen


def _seen(judged: Judged, incidents: Sequence[Incident]) -> Seen:
    series, slice_ = judged.entry.series, judged.window.key.slice
    held = (
        incident
        for incident in incidents
        if incident.is_active
        and any(
            (signal.identity.series, signal.identity.slice) == (series, slice_)
            for signal in incident.own_signals
        )
    )
    incident = next(held, None)
    return Seen(
        state=judged.state.state,
        tier=None if incident is None else incident.tier,
        share=_share(judged.evidence),
        sentence=judged.finding.sentence,
    )


def _share(evidence: Evidence | None) -> float | None:
    """Return R over its threshold, None while the evidence rests."""
    if evidence is None or math.isinf(evidence.log_r):
        return None
    return math.exp(evidence.log_r - evidence.log_threshold)


def _misses(series: MadeSeries, seen: _Seen) -> Iterator[Miss]:
    for expected, place in series.expected:
        name = series.entry.series
        there = seen.get((name, series.slice, expected.window))
        for wanted, found in _differences(expected, there):
            yield Miss(
                place=place,
                series=name,
                slice=series.slice,
                window=expected.window,
                expected=wanted,
                found=found,
                seen=there,
            )


def _differences(expected: Expected, seen: Seen | None) -> Iterator[tuple[str, str]]:
    if seen is None:
        yield "a window", "none: a slice without outputs has no window"
        return
    if expected.state is not None and seen.state is not expected.state:
        yield expected.state.value, seen.state.value
    there = "no incident" if seen.tier is None else f"an incident of {seen.tier.value}"
    if expected.incident is not None and expected.incident != (seen.tier is not None):
        yield "an incident" if expected.incident else "no incident", there
    if not expected.tells_a_tier:
        return
    rank = math.inf if seen.tier is None else seen.tier.rank
    if expected.tier is not None and rank != expected.tier.rank:
        yield f"an incident of {expected.tier.value}", there
    if expected.at_least is not None and rank > expected.at_least.rank:
        yield f"an incident of {expected.at_least.value} or more severe", there
    if expected.at_most is not None and not expected.at_most.rank <= rank < math.inf:
        yield f"an incident of {expected.at_most.value} or milder", there
