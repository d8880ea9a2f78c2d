"""Breaches to stored incidents, one stretch of time after another."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Protocol

from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.judgement import Judgement
from monitor.incidents.breaches import GroupingRules
from monitor.incidents.grouping import Changes, apply
from monitor.incidents.model import Incident
from monitor.storage.store import Store

__all__ = ["IncidentDesk", "IncidentShelf", "monitor_name"]


class IncidentShelf(Protocol):
    """Where a desk puts incidents."""

    def active(self) -> tuple[Incident, ...]:
        """Return the incidents that breaches can join."""
        ...

    def holding(self, fingerprints: Collection[str]) -> tuple[Incident, ...]:
        """Return the incidents, of whatever state, that ever held one of these signals."""
        ...

    def apply(self, changes: Changes, *, recorded_us: int) -> tuple[Incident, ...]:
        """Keep changed incidents and return them as they are kept."""
        ...


def monitor_name(configuration: Configuration) -> str:
    """Return the name under which a system's incidents are kept."""
    return f"{configuration.system.name}/{configuration.system.environment}"


@dataclass(slots=True)
class IncidentDesk:
    """Keeps the incidents of one monitor in memory and on a shelf, such as the database.

    It reads those that breaches can join, and of the others those alone that held a signal of
    which something is told now: what they decide is the same, and years of closed incidents
    cost nothing.
    """

    _shelf: IncidentShelf
    _incidents: dict[str, Incident]
    _rules: GroupingRules
    _clock: Clock
    _drill: bool = False
    _asked: set[str] = field(default_factory=set)

    @classmethod
    def opened(cls, store: Store, configuration: Configuration, clock: Clock) -> "IncidentDesk":
        """Return the desk with the incidents that are stored."""
        return cls.over(store.incidents(monitor_name(configuration)), configuration, clock)

    @classmethod
    def over(
        cls, shelf: IncidentShelf, configuration: Configuration, clock: Clock
    ) -> "IncidentDesk":
        """Return the desk with the incidents on a shelf."""
        rules = GroupingRules(
            group_windows=configuration.incidents.group_windows,
            reopen_seconds=configuration.incidents.reopen_seconds,
        )
        known = {incident.id: incident for incident in shelf.active()}
        return cls(shelf, known, rules, clock, configuration.incidents.drill)

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Return every incident that was read or changed here, in order of beginning."""
        return tuple(
            sorted(self._incidents.values(), key=lambda each: (each.first_window, each.id))
        )

    def take(self, judgement: Judgement) -> None:
        """Apply the breaches and recoveries of one stretch of time."""
        if not judgement.breaches and not judgement.recoveries:
            return
        self._read_those_of(
            {
                *(breach.identity.fingerprint for breach in judgement.breaches),
                *(recovery.fingerprint for recovery in judgement.recoveries),
            }
        )
        now_us = self._clock.now_us()
        changes = apply(
            # In one order, whenever each of them was read.
            sorted(
                self._incidents.values(), key=lambda each: (each.first_window.start_us, each.id)
            ),
            judgement.breaches,
            recoveries=judgement.recoveries,
            rules=self._rules,
            known_us=now_us,
        )
        if self._drill:
            changes = _as_practice(changes)
        stored = self._shelf.apply(changes, recorded_us=now_us)
        self._incidents.update((incident.id, incident) for incident in stored)

    def holding(self, fingerprints: Collection[str]) -> tuple[Incident, ...]:
        """Return the incidents with one of these signals, in order of beginning."""
        self._read_those_of(fingerprints)
        held = [
            incident
            for incident in self._incidents.values()
            if any(signal.fingerprint in fingerprints for signal in incident.signals)
        ]
        return tuple(sorted(held, key=lambda each: (each.first_window, each.id)))

    def _read_those_of(self, fingerprints: Collection[str]) -> None:
        """Read the incidents that held signals which nobody has asked about yet."""
        new = set(fingerprints) - self._asked
        if not new:
            return
        self._asked |= new
        read = {each.id: each for each in self._shelf.holding(new)}
        # What was changed here is newer than what was read when the desk was opened.
        self._incidents = {**read, **self._incidents}


def _beginning(incident: Incident) -> tuple[int, str]:
    return incident.first_window.start_us, incident.id


def _as_practice(changes: Changes) -> Changes:
    """Return changes whose incidents are marked before they are stored or told."""
    marked = tuple(replace(incident, drill=True) for incident in changes.incidents)
    return replace(changes, incidents=marked)
