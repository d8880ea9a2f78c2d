"""Closed windows to findings, states and breaches: one window's slices at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from baselines.baseline import Baseline
from baselines.reference import Reference
from baselines.summary import Window, WindowKey
from detectors.base import Finding
from monitor.config.decision import DecisionQuestion, DecisionRuleKind
from monitor.config.model import Configuration, DetectorEntry
from monitor.decision.advance import Event, Transition, advance
from monitor.decision.evidence import Evidence
from monitor.decision.evidence_moves import advance_by_evidence
from monitor.decision.inhibition import inhibitors
from monitor.decision.state import ALARMED, DecisionRule, SeriesKey, SeriesState, State
from monitor.decision.surveillance import Surveillance
from monitor.engine.comparing import Compared, compare_windows, compared_entry
from monitor.engine.identity import detector_digest, finding_id
from monitor.engine.watching import Watching, added_up, window_seconds
from monitor.engine.weighing import Alarm, Since, alarm_of, in_shadow, weighed
from monitor.incidents.breaches import Breach, Recovery
from monitor.incidents.exposure import exposed_rows
from monitor.incidents.observations import SignalIdentity, SignalKind, observation_of
from monitor.severity.assessment import (
    Course,
    cannot_see_suggestion,
    severity_inputs,
    suggested,
)
from monitor.severity.registry import SeverityPolicy
from monitor.windows.slices import ALL

__all__ = ["Judge", "Judged", "Judgement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One finding, with the window, the evidence and the series' state after it.

    The evidence is None for series that a threshold decides, and in shadow.
    """

    id: str
    window: Window
    finding: Finding
    entry: DetectorEntry
    transition: Transition
    evidence: Evidence | None = None

    @property
    def state(self) -> SeriesState:
        """Return the state of the series after the window."""
        return self.transition.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one stretch of time brought: every finding, and what incidents are told."""

    judged: tuple[Judged, ...]
    breaches: tuple[Breach, ...]
    recoveries: tuple[Recovery, ...]


@dataclass(slots=True, kw_only=True)
class Judge:
    """Compares windows with a baseline and remembers where each series stands.

    Windows come in order of time. The same windows give the same judgements.

    Parameters
    ----------
    configuration
        The detectors with their conditions, and the system register.
    baseline
        What windows are compared with.
    policy
        Suggests tiers.
    states
        Where series stand; empty at the beginning.
    comparison
        In a comparison, the adjusted p-values of the whole audit: see `compare_all`.
    beat
        Is called now and then while a long history is calibrated.
    """

    configuration: Configuration
    baseline: Baseline
    policy: SeverityPolicy
    states: dict[SeriesKey, SeriesState] = field(default_factory=dict)
    comparison: Compared | None = None
    beat: Callable[[], None] = lambda: None
    watching: Watching | None = field(init=False, default=None)
    _references: dict[str, Reference] = field(default_factory=dict)
    _alarms: dict[SeriesKey, Alarm] = field(default_factory=dict)
    _options: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        decision = self.configuration.decision
        entries = [e for e in self.configuration.detectors if e.rule is DecisionRuleKind.EVIDENCE]
        if entries and decision.question is DecisionQuestion.MONITORING:
            self.watching = Watching(
                entries=entries,
                surveillance=Surveillance(
                    budget=decision.false_alarm_budget,
                    window_seconds=window_seconds(self.configuration, self._reference(ALL)),
                    utc_offset_seconds=decision.utc_offset_seconds,
                ),
                reference_of=self._reference,
                beat=self.beat,
            )

    def remembered(self) -> dict[str, Any]:
        """Return everything that later judgements depend on, for `recall`."""
        watching = None if self.watching is None else self.watching.remembered()
        return {"states": self.states, "alarms": self._alarms, "watching": watching}

    def recall(self, remembered: Mapping[str, Any]) -> None:
        """Go on from what `remembered` returned; configuration and baseline must be the same."""
        if self.watching is not None:
            self.watching.recall(remembered["watching"])
        self.states = remembered["states"]
        self._alarms = remembered["alarms"]

    def compare_all(self, groups: Iterable[Sequence[Window]]) -> None:
        """Test every window of an audit before any is judged, if a comparison is asked for."""
        if self.configuration.decision.question is DecisionQuestion.COMPARISON:
            entries = [each for each in self.configuration.detectors if _is_compared(each)]
            self.comparison = compare_windows(groups, entries, self._reference)

    def judge(self, windows: Sequence[Window]) -> Judgement:
        """Return what the windows of one stretch of time, one for each slice, bring."""
        n_rows_all = {w.key.slice: w.summary.n_rows for w in windows}.get(ALL)
        judged: list[Judged] = []
        breaches: list[Breach] = []
        recoveries: list[Recovery] = []
        evidence = self.watching.take(windows) if self.watching is not None else {}
        for window in windows:
            ours = tuple(self._judge_window(window, evidence))
            causes = self._inhibitors(ours)
            judged += ours
            breaches += self._breaches(ours, causes, n_rows_all)
            recoveries += self._recoveries(ours)
        return Judgement(
            judged=tuple(judged), breaches=tuple(breaches), recoveries=tuple(recoveries)
        )

    def _judge_window(
        self, window: Window, evidence: Mapping[SeriesKey, Evidence]
    ) -> Iterator[Judged]:
        reference = self._reference(window.key.slice)
        incidents = self.configuration.incidents
        for entry in self.configuration.detectors:
            finding = entry.compare(reference, window)
            rule = DecisionRule(
                for_windows=entry.for_windows,
                recover_windows=incidents.recover_windows,
                cannot_see_windows=incidents.cannot_see_windows,
            )
            key = SeriesKey(entry.series, window.key.slice)
            before = self.states.get(key, SeriesState())
            if self.comparison is not None and _is_compared(entry):
                adjusted = self.comparison.get((window.key, entry.series))
                discovery_rate = self.configuration.decision.false_discovery_rate
                finding = compared_entry(
                    entry, reference, window, adjusted=adjusted, rate=discovery_rate
                )
                transition = advance(before, finding, window.key, replace(rule, for_windows=1))
            elif self.watching is not None and entry.rule is DecisionRuleKind.EVIDENCE:
                transition = advance_by_evidence(
                    before, finding, evidence.get(key), window.key, rule
                )
                self.watching.note_exposed(key, exposed_rows(finding))
                finding = self._weighed(finding, entry, evidence.get(key), transition.state)
            else:
                transition = advance(before, finding, window.key, rule)
            self.states[key] = transition.state
            yield Judged(
                id=finding_id(self.baseline.id, window, self._digest(entry)),
                window=window,
                finding=finding,
                entry=entry,
                transition=transition,
                evidence=evidence.get(key),
            )

    def _weighed(
        self,
        finding: Finding,
        entry: DetectorEntry,
        evidence: Evidence | None,
        state: SeriesState,
    ) -> Finding:
        watching, key = self.watching, state.last_seen
        if watching is None or key is None:
            return finding
        surveillance = watching.surveillance
        series = SeriesKey(entry.series, key.slice)
        shadow = surveillance.shadows.get(series)
        if shadow is not None:
            return in_shadow(finding, shadow)
        if evidence is not None and evidence.onset is not None:
            self._alarms[series] = alarm_of(evidence, evidence.onset, surveillance.budget)
        since = None
        judged = evidence is not None and evidence.seen
        if judged and state.state is State.FIRING and state.first_breach is not None:
            since = self._since(watching, entry, state.first_breach)
        calibration = surveillance.calibrations.get(series)
        return weighed(finding, since, state, self._alarms.get(series), calibration)

    def _since(self, watching: Watching, entry: DetectorEntry, onset: WindowKey) -> Since:
        windows = watching.since(onset)
        return Since(
            finding=entry.compare(self._reference(onset.slice), added_up(windows)),
            onset=onset,
            first=windows[0].key,
            n_windows=len(windows),
        )

    def _reference(self, slice_: str) -> Reference:
        known = self._references.get(slice_)
        if known is None:
            min_rows = self.configuration.baseline.min_slice_rows
            known = self.baseline.reference(slice_, min_rows=min_rows)
            self._references[slice_] = known
        return known

    def _digest(self, entry: DetectorEntry) -> str:
        if entry.series not in self._options:
            self._options[entry.series] = detector_digest(
                entry.detector, entry.name, decision=self._decision(entry)
            )
        return self._options[entry.series]

    def _decision(self, entry: DetectorEntry) -> Mapping[str, object] | None:
        """Return the settings that verdicts of an entry rest on; None for its own interval."""
        decision = self.configuration.decision
        if self.comparison is not None and _is_compared(entry):
            return {"false_discovery_rate": decision.false_discovery_rate}
        if self.watching is not None and entry.rule is DecisionRuleKind.EVIDENCE:
            budget = decision.false_alarm_budget
            return {
                "false_alarm_budget": [budget.incidents, budget.days],
                "utc_offset_seconds": decision.utc_offset_seconds,
                "weight": entry.weight,
                "critical": entry.critical,
            }
        return None

    def _inhibitors(self, judged: Sequence[Judged]) -> Mapping[str, tuple[str, ...]]:
        firing = {each.finding.series for each in judged if each.state.state in ALARMED}
        return inhibitors([each.finding for each in judged], firing)

    def _breaches(
        self,
        judged: Sequence[Judged],
        causes: Mapping[str, tuple[str, ...]],
        n_rows_all: int | None,
    ) -> Iterator[Breach]:
        for each in judged:
            events = each.transition.events
            inhibited_by = causes.get(each.finding.series, ())
            if Event.FIRED in events or Event.REPEATED in events:
                yield self._breach(each, inhibited_by, n_rows_all)
            if Event.CANNOT_SEE in events:
                yield self._blindness(each, inhibited_by)

    def _recoveries(self, judged: Sequence[Judged]) -> Iterator[Recovery]:
        for each in judged:
            for event, kind in (
                (Event.RECOVERED, SignalKind.BREACH),
                (Event.SEEN_AGAIN, SignalKind.CANNOT_SEE),
            ):
                if event in each.transition.events:
                    yield Recovery(self._identity(each, kind).fingerprint, each.window.key)

    def _breach(
        self, judged: Judged, inhibited_by: tuple[str, ...], n_rows_all: int | None
    ) -> Breach:
        finding, key, state = judged.finding, judged.window.key, judged.state
        observation = observation_of(
            finding, finding_id=judged.id, window=key, n_exposed_since_onset=state.n_exposed
        )
        first = state.first_breach or key
        course = Course(
            n_windows=state.n_beyond,
            n_exposed=state.n_exposed,
            n_exposed_now=observation.n_exposed,
            n_rows_all=n_rows_all,
            onset_us=first.start_us if key.has_times else None,
            now_us=key.end_us,
        )
        register = self.configuration.system
        inputs = severity_inputs(finding, slice_=key.slice, course=course, register=register)
        return Breach(
            identity=self._identity(judged, SignalKind.BREACH),
            detector=finding.detector,
            observation=observation,
            suggestion=suggested(self.policy, inputs),
            onset_us=first.start_us,
            inhibited_by=inhibited_by,
        )

    def _blindness(self, judged: Judged, inhibited_by: tuple[str, ...]) -> Breach:
        key, state = judged.window.key, judged.state
        onset_us, unseen_days = key.start_us, None
        if key.has_times:
            onset_us = key.end_us - state.n_unseen * (key.end_us - key.start_us)
            unseen_days = (key.end_us - onset_us) / 86_400_000_000
        return Breach(
            identity=self._identity(judged, SignalKind.CANNOT_SEE),
            detector=judged.finding.detector,
            observation=observation_of(judged.finding, finding_id=judged.id, window=key),
            suggestion=cannot_see_suggestion(
                self.policy,
                register=self.configuration.system,
                unseen_days=unseen_days,
                failure_mode=judged.finding.failure_mode,
            ),
            onset_us=onset_us,
            inhibited_by=inhibited_by,
        )

    def _identity(self, judged: Judged, kind: SignalKind) -> SignalIdentity:
        register = self.configuration.system
        return SignalIdentity(
            system=register.name,
            environment=register.environment,
            failure_mode=judged.finding.failure_mode,
            series=judged.finding.series,
            slice=judged.window.key.slice,
            baseline_id=self.baseline.id,
            kind=kind,
        )


def _is_compared(entry: DetectorEntry) -> bool:
    """Return whether a comparison decides a series: not one that asked for its own threshold."""
    return entry.rule is DecisionRuleKind.EVIDENCE or not entry.detector.asks
