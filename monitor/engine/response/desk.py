"""Drafts, reporting clocks and post-mortems of stored incidents; it sends nothing."""

from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.incident_desk import monitor_name
from monitor.engine.response.due import matched_timers
from monitor.incidents.acts.base import Occasion
from monitor.incidents.drafts.approval import (
    approved,
    created,
    drafts_of,
    rejected,
    sent_by_hand,
    withdrawn,
)
from monitor.incidents.drafts.draft import Draft, drafted, rules_of
from monitor.incidents.drafts.facts import facts_of
from monitor.incidents.drafts.fields import Fields
from monitor.incidents.drafts.observed import observed_entry
from monitor.incidents.drafts.statements import signed, stated
from monitor.incidents.model import Incident
from monitor.incidents.postmortem.effects import Effect, effect_reviewed
from monitor.incidents.postmortem.items import item_added, item_done
from monitor.incidents.postmortem.publishing import published
from monitor.incidents.postmortem.report import post_mortem
from monitor.incidents.postmortem.sections import section_written
from monitor.incidents.records import Record, to_record
from monitor.incidents.regimes.clocks import clock_met, decide_clock
from monitor.incidents.roles import Person, RefusedActError
from monitor.incidents.timeline import RecordedEntry, TimelineEntry
from monitor.storage.incidents import IncidentRepository
from monitor.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Case", "ResponseDesk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An incident and its timeline, read together."""

    incident: Incident
    timeline: tuple[RecordedEntry, ...]


class ResponseDesk:
    """Reads cases, and writes what persons decide about them into timelines.

    Parameters
    ----------
    configuration
        Whose register, people and series hold.
    store
        The database.
    clock
        Tells the time.
    folder
        Templates in the place of ours.
    """

    def __init__(
        self,
        configuration: Configuration,
        store: Store,
        clock: Clock,
        folder: Path | None = None,
    ) -> None:
        self._configuration = configuration
        self._store = store
        self._clock = clock
        self._folder = folder

    def case(self, id_or_number: str) -> Case:
        """Return a case by the id, its unique beginning or the number of the incident.

        Raises
        ------
        StorageError
            If there is none.
        """
        incident = self._repository.find(id_or_number)
        return Case(incident=incident, timeline=self._repository.timeline(incident.id))

    def fields(self, case: Case, *, outside: bool = False) -> Fields:
        """Return every field of a case as it is known now."""
        register = to_record(self._configuration.system)
        now_us = self._clock.now_us()
        return facts_of(case.incident, case.timeline, register, now_us, outside=outside)

    def observe(self, id_or_number: str) -> Case:
        """Write down what the monitor has recorded so far, once, and return the case."""
        case = self.case(id_or_number)
        self._append(case, [observed_entry(case.incident, known_us=self._clock.now_us())])
        return self.case(id_or_number)

    def draft(self, id_or_number: str, subject: str) -> Draft:
        """Return a draft; a version is kept only if its text is new.

        Raises
        ------
        TemplateError
            If a template is refused.
        """
        with self._store.begin():
            self._repository.take_turn()
            case = self.observe(id_or_number)
            versions = drafts_of(case.timeline).get(subject, [])
            draft = self._made(case, subject, version=len(versions) + 1)
            if versions and versions[-1].hash == draft.hash:
                return versions[-1]
            self._append(case, [created(draft, changed=bool(versions))])
        return draft

    def latest(self, case: Case, subject: str) -> Draft:
        """Return the latest version of a draft.

        Raises
        ------
        RefusedActError
            If it was never made.
        """
        versions = drafts_of(case.timeline).get(subject)
        if not versions:
            message = f"{subject!r} was never drafted; see 'comms draft'"
            raise RefusedActError(message)
        return versions[-1]

    def approve(
        self, id_or_number: str, subject: str, occasion: Occasion, *, first_report: bool = False
    ) -> Draft:
        """Record the approval of the latest version of a draft.

        Raises
        ------
        RefusedActError
            If the persons may not, something that blocks is unknown, or facts have changed.
        """
        with self._deciding(id_or_number) as case:
            draft = self.latest(case, subject)
            now = self._made(case, subject, version=draft.version)
            entry = approved(
                case.incident,
                draft,
                case.timeline,
                occasion,
                current_hash=now.hash,
                first_report=first_report,
            )
            self._append(case, [entry])
        return draft

    def reject(self, id_or_number: str, subject: str, occasion: Occasion) -> Draft:
        """Record that a person rejects the latest version of a draft, with a reason.

        Raises
        ------
        RefusedActError
            If it was sent, rejected or withdrawn already, or the person may not.
        """
        with self._deciding(id_or_number) as case:
            draft = self.latest(case, subject)
            self._append(case, [rejected(draft, case.timeline, occasion)])
        return draft

    def withdraw(self, id_or_number: str, subject: str, occasion: Occasion) -> Draft:
        """Record that a person takes the latest version back, approved or sent, with a reason.

        Raises
        ------
        RefusedActError
            If it is neither, or the person may not.
        """
        with self._deciding(id_or_number) as case:
            draft = self.latest(case, subject)
            self._append(case, [withdrawn(draft, case.timeline, occasion)])
        return draft

    def publish_review(self, id_or_number: str, occasion: Occasion) -> str:
        """Record that the post-mortem is published as it is now, and return its text.

        Raises
        ------
        RefusedActError
            If it lacks something, or the persons may not.
        """
        with self._deciding(id_or_number):
            case = self.observe(id_or_number)
            text = post_mortem(case.incident, case.timeline, self.fields(case))
            self._append(case, [published(case.incident, case.timeline, text, occasion)])
        return text

    def sent(
        self,
        id_or_number: str,
        subject: str,
        occasion: Occasion,
        *,
        recipients: int,
        how: str,
        clocks: Iterable[str] = (),
        next_update_us: int | None = None,
    ) -> Draft:
        """Record that persons sent an approved draft, and which clocks that has met.

        Raises
        ------
        RefusedActError
            If it is not approved, or a clock does not run.
        """
        with self._deciding(id_or_number) as case:
            draft = self.latest(case, subject)
            entry = sent_by_hand(
                case.incident,
                draft,
                case.timeline,
                occasion,
                recipients=recipients,
                how=how,
                next_update_us=next_update_us,
            )
            regime_id = subject.partition(":")[2]
            met = [clock_met(case.timeline, regime_id, clock, occasion) for clock in clocks]
            self._append(case, [entry, *met])
        return draft

    def decide(
        self,
        id_or_number: str,
        regime_id: str,
        occasion: Occasion,
        *,
        trigger_seq: int | None,
        clocks: tuple[str, ...] = (),
    ) -> Case:
        """Record counsel's decision on a reporting duty, and return the case after it.

        Raises
        ------
        RefusedActError, RegimeError
            As `monitor.incidents.regimes.clocks.decide_clock`.
        """
        with self._deciding(id_or_number) as case:
            entries = decide_clock(
                case.incident,
                case.timeline,
                regime_id,
                occasion,
                trigger_seq=trigger_seq,
                clocks=clocks,
            )
            self._append(case, entries)
        return self.case(id_or_number)

    def state(
        self,
        id_or_number: str,
        name: str,
        text: str,
        occasion: Occasion,
        *,
        not_applicable: bool = False,
    ) -> None:
        """Record what a person states of a field, signed as a finding."""
        with self._deciding(id_or_number) as case:
            self._append(
                case,
                [stated(case.incident, name, text, occasion, not_applicable=not_applicable)],
            )

    def sign(self, id_or_number: str, numbers: Iterable[int], occasion: Occasion) -> None:
        """Record that a person signs entries as findings."""
        with self._deciding(id_or_number) as case:
            self._append(case, [signed(case.incident, case.timeline, numbers, occasion)])

    def write_section(
        self, id_or_number: str, section: str, text: str, occasion: Occasion
    ) -> None:
        """Record what a person wrote in a section of the post-mortem."""
        with self._deciding(id_or_number) as case:
            self._append(case, [section_written(case.incident, section, text, occasion)])

    def add_item(self, id_or_number: str, item: Record, occasion: Occasion) -> None:
        """Record a new action item; its series must be monitored."""
        series = {entry.series for entry in self._configuration.detectors}
        with self._deciding(id_or_number) as case:
            self._append(case, [item_added(case.incident, item, occasion, series=series)])

    def finish_item(self, id_or_number: str, number: int, occasion: Occasion) -> None:
        """Record that an action item is done."""
        with self._deciding(id_or_number) as case:
            self._append(case, [item_done(case.incident, case.timeline, number, occasion)])

    def review_effect(
        self,
        id_or_number: str,
        number: int,
        occasion: Occasion,
        *,
        days: int,
        effect: Effect,
        text: str,
    ) -> None:
        """Record what a person saw of the effect of an action item, also of a closed incident.

        Raises
        ------
        RefusedActError
            As `monitor.incidents.postmortem.effects.effect_reviewed`.
        """
        with self._deciding(id_or_number) as case:
            entry = effect_reviewed(
                case.incident,
                case.timeline,
                number,
                occasion,
                days=days,
                effect=effect,
                text=text,
            )
            self._append(case, [entry])

    def occasion(self, by: Person, second: Person | None = None, reason: str = "") -> Occasion:
        """Return the occasion of an act now, by the people of the configuration."""
        return Occasion(
            by=by,
            second=second,
            reason=reason,
            people=self._configuration.people,
            now_us=self._clock.now_us(),
        )

    @property
    def _repository(self) -> IncidentRepository:
        return self._store.incidents(monitor_name(self._configuration))

    @contextmanager
    def _deciding(self, id_or_number: str) -> "Iterator[Case]":
        # What is decided on and what is written are of one transaction.
        with self._store.begin():
            self._repository.take_turn()
            yield self.case(id_or_number)

    def _made(self, case: Case, subject: str, *, version: int) -> Draft:
        return drafted(
            case.incident.id,
            subject,
            self.fields(case, outside=rules_of(subject).outside),
            version=version,
            now_us=self._clock.now_us(),
            folder=self._folder,
            drill=case.incident.drill,
        )

    def _append(self, case: Case, entries: Iterable[TimelineEntry]) -> None:
        now_us = self._clock.now_us()
        with self._store.begin():
            self._repository.append(case.incident.id, entries, recorded_us=now_us)
            # What is told here starts clocks, meets them, and promises.
            hours = self._configuration.incidents.business_hours
            matched_timers(self._repository, case.incident.id, now_us=now_us, hours=hours)
