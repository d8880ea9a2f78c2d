"""One cause, one incident: what the breaches of one window do to the incidents.

A pure function: the same findings in the same order of windows give the same incidents with
the same ids, whatever the order of the series within a window.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from baselines.baseline import ALL_TRAFFIC
from monitor.incidents.board import Board
from monitor.incidents.breaches import (
    Breach,
    GroupingRules,
    Recovery,
    belongs_to,
    clusters,
    is_over,
)
from monitor.incidents.model import Incident
from monitor.incidents.timeline import TimelineEntry

__all__ = ["Changes", "apply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be stored.

    Parameters
    ----------
    incidents
        The new and the changed ones.
    entries
        What is added to the timelines, by incident id.
    opened, reopened
        Ids of new incidents and of those that came back.
    """

    incidents: tuple[Incident, ...] = ()
    entries: Mapping[str, tuple[TimelineEntry, ...]]
    opened: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()


def apply(
    incidents: Sequence[Incident],
    breaches: Sequence[Breach],
    *,
    recoveries: Sequence[Recovery] = (),
    rules: GroupingRules,
    known_us: int,
) -> Changes:
    """Return what the breaches of one window change.

    A breach of a signal that an active incident holds is a repeat. A slice joins the incident of
    its series on all traffic, and the other way round, however late. New signals of one cause
    (see `monitor.incidents.breaches.clusters`) join an active incident that began shortly
    before or with the same release, re-open one that was resolved a short while ago, or make
    a new candidate, linked to the incident that the signal belonged to before. An incident
    whose signals were all back long ago takes no more breaches, resolved or not. What a person
    dismissed stays so while its signals go on as they were. Inhibited breaches are listed with
    their cause.

    Parameters
    ----------
    incidents
        All incidents of the monitor, the finished ones too: they are what a recurrence and a
        step that is done twice are recognized by.
    breaches
        The firing series of one window, of all slices. A window that a signal has seen
        already changes nothing.
    recoveries
        The signals that came back within tolerance in this window.
    rules
        When breaches belong together.
    known_us
        The time by the clock.
    """
    board = Board(incidents, known_us, rules)
    fresh = [breach for breach in breaches if not board.has_seen(breach)]
    own: list[Breach] = []
    caused: list[Breach] = []
    for breach in sorted(fresh, key=lambda each: each.order):
        (caused if _has_a_cause(breach, fresh, board) else own).append(breach)
    new: list[Breach] = []
    repeats: dict[str, list[Breach]] = {}
    parts: dict[str, list[Breach]] = {}
    for breach in own:
        if (holder := board.joined_by(breach)) is not None:
            repeats.setdefault(holder, []).append(breach)
        elif (holder := board.dismissed_holder(breach)) is not None:
            board.count_dismissed(holder, breach)
        elif (holder := _same_series(breach, board, rules)) is not None:
            parts.setdefault(holder, []).append(breach)
        else:
            new.append(breach)
    for holder, again in sorted(repeats.items()):
        board.repeat(holder, again)
    for holder, more in sorted(parts.items()):
        board.add(holder, more)
    for cluster in clusters(new, rules):
        _place(board, cluster, rules)
    for breach in caused:
        _list_with_its_cause(board, breach)
    for recovery in sorted(recoveries, key=lambda each: each.fingerprint):
        board.recover(recovery)
    return Changes(
        incidents=board.changed(),
        entries=board.entries(),
        opened=board.opened(),
        reopened=board.reopened(),
    )


def _same_series(breach: Breach, board: Board, rules: GroupingRules) -> str | None:
    """Return the incident with the series on all traffic, or for all traffic, on a slice."""
    here = breach.identity.slice
    found = _first(
        incident
        for incident in board.active()
        if not is_over(breach, incident, rules)
        for signal in incident.own_signals
        if ALL_TRAFFIC in (here, signal.identity.slice)
        and replace(signal.identity, slice=here) == breach.identity
    )
    return found.id if found is not None else None


def _place(board: Board, cluster: list[Breach], rules: GroupingRules) -> None:
    joined = _first(
        incident
        for incident in board.active()
        if any(belongs_to(breach, incident, rules) for breach in cluster)
    )
    if joined is not None:
        board.add(joined.id, cluster)
        return
    earlier = board.earlier_holders(cluster)
    end_us = max(breach.window.end_us for breach in cluster)
    back = _first(
        incident
        for incident in earlier
        if incident.resolved_us is not None and end_us - incident.resolved_us <= rules.reopen_us
    )
    if back is not None:
        board.reopen(back.id, cluster)
        return
    latest = max(earlier, key=lambda each: (each.last_window, each.id), default=None)
    board.open(cluster, recurrence_of=latest.id if latest else None)


def _has_a_cause(breach: Breach, fresh: Sequence[Breach], board: Board) -> bool:
    """Return whether the broken input that explains a breach has an incident, or gets one."""
    if not breach.inhibited_by:
        return False
    if board.is_own_signal(breach.identity.fingerprint):
        return False
    return board.cause_of(breach) is not None or any(
        not other.inhibited_by
        and other.identity.series in breach.inhibited_by
        and other.identity.slice == breach.identity.slice
        for other in fresh
    )


def _list_with_its_cause(board: Board, breach: Breach) -> None:
    cause = board.cause_of(breach)
    if cause is None:
        message = f"the cause of {breach.identity.series!r} must have an incident by now"
        raise RuntimeError(message)
    board.inhibit(cause, breach)


def _first(incidents: Iterable[Incident]) -> Incident | None:
    return min(incidents, key=lambda each: (each.first_window, each.id), default=None)
