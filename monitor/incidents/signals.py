"""How a signal and its incident change with one more breach: pure functions."""

from collections.abc import Sequence
from dataclasses import replace

from monitor.incidents.breaches import Breach
from monitor.incidents.model import Incident
from monitor.incidents.observations import Signal, SignalKind
from monitor.incidents.records import Record
from monitor.incidents.suggestion import Suggestion, worse
from monitor.incidents.wording import leading_signal, title_of

__all__ = ["extended", "new_signal", "observed", "summed_up", "tiers", "told"]


def new_signal(breach: Breach) -> Signal:
    """Return the signal that a breach begins."""
    return Signal(
        identity=breach.identity,
        detector=breach.detector,
        n_windows=1,
        first=breach.observation,
        freshest=breach.observation,
        worst=breach.observation,
        suggestion=breach.suggestion,
        inhibited_by=breach.inhibited_by,
    )


def observed(signal: Signal, breach: Breach) -> Signal:
    """Return the signal after one more window: count, freshest, worst and suggestion."""
    observation = breach.observation
    return replace(
        signal,
        n_windows=signal.n_windows + 1,
        freshest=observation,
        worst=observation if observation.size > signal.worst.size else signal.worst,
        suggestion=_more_severe(signal.suggestion, breach.suggestion),
        recovered=False,
    )


def _more_severe(before: Suggestion, now: Suggestion) -> Suggestion:
    # A milder window takes nothing back: lowering is for a person. Of equals, the fresher.
    def severity(suggestion: Suggestion) -> tuple[int, int, int]:
        return suggestion.tier.rank, suggestion.could_be.rank, -suggestion.score

    return now if severity(now) <= severity(before) else before


def extended(incident: Incident, cluster: Sequence[Breach]) -> Incident:
    """Return the incident with its last window, onset and releases brought up to date."""
    releases = {breach.release for breach in cluster if breach.release is not None}
    return replace(
        incident,
        last_window=max(incident.last_window, *(breach.window for breach in cluster)),
        onset_us=min(incident.onset_us, *(breach.onset_us for breach in cluster)),
        releases=tuple(sorted({*incident.releases, *releases})),
    )


def summed_up(incident: Incident) -> Incident:
    """Return the incident as its signals make it: mode, suggestion, could be, title."""
    lead = leading_signal(incident.signals)
    # A person found words for it already.
    reported = incident.kind is SignalKind.REPORTED
    could_be = incident.could_be
    for signal in incident.own_signals:
        could_be = worse(could_be, signal.suggestion.could_be)
    return replace(
        incident,
        failure_mode=lead.identity.failure_mode,
        suggestion=lead.suggestion,
        could_be=could_be,
        title=incident.title if reported else title_of(incident.signals),
    )


def told(breach: Breach) -> Record:
    """Return what a timeline tells of a breach."""
    return {
        "fingerprint": breach.identity.fingerprint,
        "series": breach.identity.series,
        "slice": breach.identity.slice,
        "finding": breach.observation.finding_id,
        "sentence": breach.observation.sentence,
        "suggestion": tiers(breach.suggestion),
        "onset_us": breach.onset_us if breach.window.has_times else None,
    }


def tiers(suggestion: Suggestion) -> Record:
    """Return what a timeline tells of a suggestion."""
    return {
        "tier": suggestion.tier.value,
        "could_be": suggestion.could_be.value,
        "score": suggestion.score,
        "policy": suggestion.policy,
        "reasons": list(suggestion.reasons),
        "unknowns": list(suggestion.unknowns),
    }
