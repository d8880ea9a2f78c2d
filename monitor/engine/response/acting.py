"""People's acts on stored incidents; somebody else may write at the same time."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from monitor.clock import Clock
from monitor.engine.notifying import Tell, tell_nobody
from monitor.engine.response.due import matched_timers
from monitor.incidents.acts.base import Act, Occasion
from monitor.incidents.acts.keeping import Erase, Seal
from monitor.incidents.acts.merging import merge
from monitor.incidents.acts.opening import Report, opened
from monitor.incidents.business_hours import OFFICE_HOURS, BusinessHours
from monitor.incidents.grouping import Changes
from monitor.incidents.lifecycle import perform
from monitor.incidents.model import Incident
from monitor.incidents.roles import People
from monitor.incidents.vault import (
    KEY_BYTES,
    NONCE_BYTES,
    SALT_BYTES,
    VaultError,
    sealed,
    unsealed,
)
from monitor.storage.errors import ConcurrentWriteError
from monitor.storage.incidents import IncidentRepository
from monitor.storage.store import Store

__all__ = ["ActingDesk"]

_ATTEMPTS: Final = 5


@dataclass(slots=True, kw_only=True)
class ActingDesk:
    """Takes acts of people on the incidents of one monitor.

    Every act is one transaction: incident, timeline and timers. If the running monitor wrote
    the incident meanwhile, the act is tried again on what it is then.

    Parameters
    ----------
    store, monitor
        Where the incidents are, and whose.
    clock
        Tells the time.
    people
        Who may act.
    tell
        Writes down, in the same transaction, whom an act is told to.
    hours
        When people are at work, for timers.
    """

    store: Store
    monitor: str
    clock: Clock
    people: People = field(default_factory=People)
    tell: Tell = tell_nobody
    hours: BusinessHours = OFFICE_HOURS

    @property
    def incidents(self) -> IncidentRepository:
        """Return the incidents."""
        return self.store.incidents(self.monitor)

    def act(self, incident: str, act: Act, occasion: Occasion) -> Incident:
        """Do something to an incident and return it as it is then.

        Parameters
        ----------
        incident
            Its id, the beginning of it, or its number.
        act
            What is done.
        occasion
            Who, why and when; clock, people and timeline are put in here.

        Raises
        ------
        RefusedActError
            If the rules do not allow it.
        StorageError
            If there is no such incident.
        """

        def changes() -> tuple[str, Changes]:
            found = self.incidents.find(incident)
            return found.id, perform(found, act, self._at(occasion, found))

        return self._kept(changes)

    def open(self, report: Report, occasion: Occasion) -> Incident:
        """Open an incident that a person reports."""

        def changes() -> tuple[str, Changes]:
            made = opened(report, replace(occasion, now_us=self._now(), people=self.people))
            return made.opened[0], made

        return self._kept(changes)

    def merge(self, incident: str, into: str, occasion: Occasion) -> Incident:
        """Merge an incident into another one, and return that one."""

        def changes() -> tuple[str, Changes]:
            gone, kept = self.incidents.find(incident), self.incidents.find(into)
            on = self._at(occasion, gone)
            return kept.id, merge(gone, kept, on, self.incidents.timeline(kept.id))

        return self._kept(changes)

    def seal(self, incident: str, content: str, about: str, occasion: Occasion) -> str:
        """Keep a content about people in the vault; return its commitment.

        Raises
        ------
        VaultError
            If the key of the incident was destroyed.
        """
        with self.store.begin():
            # Before the key is written: whoever writes it too has taken the turn as well.
            self.incidents.take_turn()
            found = self.incidents.find(incident)
            vault = self.incidents.vault()
            key = vault.key(found.id, fresh=secrets.token_bytes(KEY_BYTES))
            if key is None:
                message = f"the vault of incident {found.short_id!r} was erased for good"
                raise VaultError(message)
            secret = sealed(
                content,
                incident_id=found.id,
                key=key,
                salt=secrets.token_bytes(SALT_BYTES),
                nonce=secrets.token_bytes(NONCE_BYTES),
            )
            vault.put(found.id, secret)
            self.act(found.id, Seal(commitment=secret.commitment, about=about), occasion)
        return secret.commitment

    def unseal(self, incident: str, commitment: str) -> str:
        """Return a content of the vault.

        Raises
        ------
        VaultError
            If it was erased or changed.
        """
        found = self.incidents.find(incident)
        vault = self.incidents.vault()
        secret = vault.get(found.id, commitment)
        return unsealed(secret, incident_id=found.id, key=vault.key(found.id))

    def erase(self, incident: str, occasion: Occasion) -> Incident:
        """Destroy the key of an incident's contents; the timeline stays and verifies.

        Raises
        ------
        VaultError
            If a copy of the key is left in the log of the database, which others are reading.
        """
        with self.store.begin():
            changed = self.act(incident, Erase(), occasion)
            self.incidents.vault().destroy_key(changed.id, at_us=self._now())
        if not self.store.drop_old_pages():
            message = (
                "the key is destroyed, but a copy of it is left in the log of the database: a "
                "program has been reading for long; let it end, and erase again"
            )
            raise VaultError(message)
        return changed

    def _kept(self, changes: Callable[[], tuple[str, Changes]]) -> Incident:
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._once(changes)
            except ConcurrentWriteError:
                continue
        return self._once(changes)

    def _once(self, changes: Callable[[], tuple[str, Changes]]) -> Incident:
        with self.store.begin():
            self.incidents.take_turn()
            incident_id, made = changes()
            self.incidents.apply(made, recorded_us=self._now())
            self.tell(made, self._now())
            for each in {incident_id, *made.entries}:
                matched_timers(self.incidents, each, now_us=self._now(), hours=self.hours)
            return self.incidents.find(incident_id)

    def _at(self, occasion: Occasion, incident: Incident) -> Occasion:
        return replace(
            occasion,
            now_us=self._now(),
            people=self.people,
            timeline=self.incidents.timeline(incident.id),
        )

    def _now(self) -> int:
        return self.clock.now_us()
