"""Notices out of the outbox: leased, delivered, and what became of it written down."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import ValidationError

from monitor.clock import Clock
from monitor.config.notifying import NotifierSettings
from monitor.engine.notifying import current_notice, told_on
from monitor.incidents.records import Record, from_record
from monitor.incidents.timeline import EntryKind, TimelineEntry
from monitor.notifiers.base import (
    DeliveryError,
    Notifier,
    Receipt,
    Refreshing,
    RefusedError,
    Sending,
)
from monitor.notifiers.notice import Notice, NoticeKind
from monitor.storage.errors import ConcurrentWriteError
from monitor.storage.outbox import OutboxRepository, OutboxRow
from monitor.storage.store import Store

__all__ = ["Outcome", "Sender"]

_US = 1_000_000
_LEASE_SECONDS = 60.0
_STEPS = 6
_LONGEST_ERROR = 300
_TRIES = 5


class Outcome(StrEnum):
    """What became of one attempt."""

    NOTHING_DUE = "nothing_due"
    SENT = "sent"
    FAILED = "failed"
    DEAD = "dead"


@dataclass(slots=True, kw_only=True)
class Sender:
    """Delivers the notices of one monitor: each at least once, with the same key every time.

    Several senders may work at once: a notice is leased by one of them, for longer than a
    delivery can take. One that is killed in between lets another deliver the notice again.

    Parameters
    ----------
    store, monitor
        Where the outbox is.
    settings
        How often and after what wait a notice is tried again.
    clock
        The wall clock.
    jitter
        Gives numbers from 0 to 1: retries of many notices must not come all at once.
    """

    store: Store
    monitor: str
    settings: NotifierSettings
    clock: Clock
    jitter: Callable[[], float]

    @property
    def outbox(self) -> OutboxRepository:
        """Return the outbox that is emptied."""
        return OutboxRepository(self.store, self.monitor)

    def send_next(self, notifier: Notifier) -> Outcome:
        """Deliver the next notice of a channel that is due, if there is one.

        Raises
        ------
        StorageError, sqlalchemy.exc.DBAPIError
            If the database is away; a notice that was delivered is then delivered again, with
            the same key.
        """
        now_us = self.clock.now_us()
        until_us = now_us + int(_lease_seconds(notifier) * _US)
        row = self.outbox.lease(notifier.channel, now_us=now_us, until_us=until_us)
        if row is None:
            return Outcome.NOTHING_DUE
        try:
            receipt = self._deliver(notifier, row)
        except RefusedError as error:
            return self._give_up(row, notifier, str(error))
        except DeliveryError as error:
            return self._try_again(row, notifier, error)
        self._keep(row, notifier, receipt)
        return Outcome.SENT

    def refresh(self, notifier: Refreshing) -> int:
        """Tell a channel again of the active incidents that it was told of; return how many.

        Raises
        ------
        DeliveryError
            If the channel does not take it.
        """
        if not isinstance(notifier, Notifier):
            return 0
        incidents = self.store.incidents(self.monitor)
        told = 0
        for incident in incidents.active():
            entries = told_on(incidents.timeline(incident.id), notifier.channel)
            if not entries:
                continue
            kind = NoticeKind(entries[-1].body.get("notice_kind", NoticeKind.OPENED))
            if kind is NoticeKind.FINISHED:
                continue
            now_us = self.clock.now_us()
            notice = current_notice(
                incidents, incident, kind, now_us, base_url=self.settings.base_url
            )
            notifier.refresh(notice, Sending(key=notice.head, now_us=now_us))
            told += 1
        return told

    def _deliver(self, notifier: Notifier, row: OutboxRow) -> Receipt:
        try:
            notice = from_record(Notice, row.body)
        except ValidationError as error:
            message = "the notice must be one of this release's, got other fields"
            raise RefusedError(message) from error
        sending = Sending(
            key=row.id, now_us=self.clock.now_us(), thread=self._thread(row, notifier)
        )
        try:
            return notifier.deliver(notice, sending)
        except DeliveryError:
            raise
        except Exception as error:
            # A notifier of another distribution may raise anything; others must go on.
            message = f"the notifier {notifier.name!r} failed with {type(error).__name__}"
            raise DeliveryError(message) from error

    def _thread(self, row: OutboxRow, notifier: Notifier) -> str | None:
        if row.incident_id is None:
            return None
        timeline = self.store.incidents(self.monitor).timeline(row.incident_id)
        for entry in told_on(timeline, notifier.channel):
            if entry.body.get("provider_id") is not None:
                return str(entry.body["provider_id"])
        return None

    def _keep(self, row: OutboxRow, notifier: Notifier, receipt: Receipt) -> None:
        at_us = self.clock.now_us()

        def sent() -> bool:
            return self.outbox.sent(row, sent_us=at_us, provider_id=receipt.provider_id)

        body = {"provider_id": receipt.provider_id}
        self._write(row, notifier, EntryKind.NOTIFIED, body, at_us, sent)

    def _give_up(self, row: OutboxRow, notifier: Notifier, error: str) -> Outcome:
        def given_up() -> bool:
            return self.outbox.give_up(row, error[:_LONGEST_ERROR])

        # What the provider said stays out of the timeline: nothing there can be taken back.
        kind, at_us = EntryKind.NOTIFICATION_FAILED, self.clock.now_us()
        self._write(row, notifier, kind, {"attempts": row.attempts}, at_us, given_up)
        return Outcome.DEAD

    def _try_again(self, row: OutboxRow, notifier: Notifier, error: DeliveryError) -> Outcome:
        if row.attempts >= self.settings.max_attempts:
            return self._give_up(row, notifier, str(error))
        wait = max(self._wait_seconds(row.attempts), error.retry_after_seconds or 0.0)
        due_us = self.clock.now_us() + int(wait * _US)
        self.outbox.failed(row, str(error)[:_LONGEST_ERROR], due_us=due_us)
        return Outcome.FAILED

    def _wait_seconds(self, attempts: int) -> float:
        """Return the wait after so many attempts: doubled each time, less up to a half."""
        doubled = self.settings.first_retry_seconds * 2.0 ** min(attempts - 1, 30)
        return min(doubled, self.settings.max_retry_seconds) * (0.5 + 0.5 * self.jitter())

    def _write(
        self,
        row: OutboxRow,
        notifier: Notifier,
        kind: EntryKind,
        body: Record,
        at_us: int,
        change: Callable[[], bool],
    ) -> None:
        """Write down what became of a notice, and in the timeline, in one transaction."""
        told = {
            "channel": notifier.channel,
            "provider": notifier.name,
            "notice": row.id,
            "notice_kind": row.kind,
            **body,
        }
        entry = TimelineEntry(kind=kind, occurred_us=at_us, known_us=at_us, body=told)
        for tries_left in reversed(range(_TRIES)):
            try:
                with self.store.begin():
                    if change() and row.incident_id is not None:
                        incidents = self.store.incidents(self.monitor)
                        incidents.append(row.incident_id, [entry], recorded_us=at_us)
                break
            except ConcurrentWriteError:
                # Somebody wrote to the same timeline: it is still free a moment later.
                if not tries_left:
                    raise


def _lease_seconds(notifier: Notifier) -> float:
    """Return longer than a delivery can take, looking up the host included."""
    return _LEASE_SECONDS + _STEPS * float(getattr(notifier, "timeout_seconds", 30.0))
