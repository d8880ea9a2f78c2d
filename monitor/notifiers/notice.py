"""What is told of an incident: facts that the incident holds, and text made of nothing else."""

from dataclasses import dataclass
from enum import StrEnum

from detectors.base import FailureMode
from monitor.incidents.model import Incident
from monitor.incidents.suggestion import Tier
from monitor.incidents.wording import leading_signal
from monitor.printing import time_text

__all__ = ["Notice", "NoticeKind", "notice_of"]


class NoticeKind(StrEnum):
    """Why people are told."""

    OPENED = "opened"
    REOPENED = "reopened"
    SUGGESTION_RAISED = "suggestion_raised"
    RESOLUTION_PROPOSED = "resolution_proposed"
    ACKNOWLEDGED = "acknowledged"
    TIMER_FIRED = "timer_fired"
    FINISHED = "finished"
    BREAK_GLASS = "break_glass"
    BREAK_GLASS_REVIEWED = "break_glass_reviewed"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"

    @property
    def is_news(self) -> bool:
        """Return whether it is told where nothing of the incident was told before."""
        return self in _NEWS

    @property
    def is_for_everybody(self) -> bool:
        """Return whether it is told on every channel, whatever that takes else."""
        return self is NoticeKind.BREAK_GLASS


_NEWS = frozenset(
    {
        NoticeKind.OPENED,
        NoticeKind.REOPENED,
        NoticeKind.SUGGESTION_RAISED,
        NoticeKind.TIMER_FIRED,
        NoticeKind.BREAK_GLASS,
        NoticeKind.ROLLBACK_FAILED,
    }
)

_VERBS = {
    NoticeKind.OPENED: "opened",
    NoticeKind.REOPENED: "re-opened",
    NoticeKind.SUGGESTION_RAISED: "looks more severe",
    NoticeKind.RESOLUTION_PROPOSED: "is back within tolerance; a person resolves it",
    NoticeKind.ACKNOWLEDGED: "is acknowledged",
    NoticeKind.TIMER_FIRED: "waits for a person",
    NoticeKind.FINISHED: "is finished",
    NoticeKind.BREAK_GLASS: "is being rolled back by one person alone",
    NoticeKind.BREAK_GLASS_REVIEWED: "has a review of what one person did alone",
    NoticeKind.ROLLED_BACK: "is rolled back, and what it went back to is served",
    NoticeKind.ROLLBACK_FAILED: "was not contained by a rollback",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one message says; kept in the outbox as it was when it happened.

    Parameters
    ----------
    kind
        Why people are told.
    incident_id, number, title, system, environment, failure_mode, state
        Of the incident.
    tier, could_be
        The tier that counts, and how severe it could be.
    confirmed
        Whether a person decided on the tier; otherwise it is suggested.
    since_us
        When it began, estimated; None where events have no times.
    sentence
        What the leading signal's worst window showed.
    told_us
        When the monitor wrote this, microseconds.
    seq, head
        Number and hash of the last entry of the incident's timeline: kept elsewhere, they show
        later whether the timeline was rewritten.
    note
        More about why people are told, from facts; may be empty.
    drill
        Whether it is practice.
    url
        Where the incident can be read; empty: nowhere.
    alone
        Ids of rollbacks that one person carries out alone: the one that this is about; when the
        incident is finished, all that nobody has reviewed.
    """

    kind: NoticeKind
    incident_id: str
    number: int | None
    title: str
    system: str
    environment: str
    failure_mode: FailureMode
    state: str
    tier: Tier
    could_be: Tier
    confirmed: bool
    since_us: int | None
    sentence: str
    told_us: int
    seq: int
    head: str
    note: str = ""
    drill: bool = False
    url: str = ""
    alone: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what the incident is called in speech."""
        return f"incident {self.incident_id[:12] if self.number is None else self.number}"

    @property
    def tier_words(self) -> str:
        """Return the tier, whether it is decided, and how severe it could be."""
        words = f"{self.tier} {'confirmed' if self.confirmed else 'suggested'}"
        if self.could_be.rank < self.tier.rank:
            words += f", could be as high as {self.could_be}"
        return words

    @property
    def subject(self) -> str:
        """Return one line: tier, incident, what happened, title."""
        drill = "DRILL " if self.drill else ""
        return f"{drill}[{self.tier_words}] {self.name} {_VERBS[self.kind]}: {self.title}"

    @property
    def footer(self) -> str:
        """Return where the timeline stood: the anchor."""
        return f"timeline entry {self.seq}, {self.head}"

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the message below its subject, the footer last."""
        where = f"system {self.system}, {self.environment}; {self.failure_mode} failure"
        since = "" if self.since_us is None else f"since {time_text(self.since_us)} (estimated)"
        lines = (where, since, self.sentence, self.note, self.url, self.footer)
        return tuple(line for line in lines if line)

    @property
    def text(self) -> str:
        """Return the whole message as plain text."""
        return "\n".join((self.subject, *self.lines))


def notice_of(
    incident: Incident,
    kind: NoticeKind,
    *,
    told_us: int,
    seq: int,
    head: str,
    note: str = "",
    base_url: str = "",
    alone: tuple[str, ...] = (),
) -> Notice:
    """Return what is told of an incident as it stands.

    Parameters
    ----------
    base_url
        Where incidents can be read, without a slash at the end; empty: nowhere.
    alone
        The rollbacks of `Notice.alone`.
    """
    sentence = leading_signal(incident.signals).worst.sentence if incident.signals else ""
    return Notice(
        kind=kind,
        incident_id=incident.id,
        number=incident.number,
        title=incident.title,
        system=incident.system,
        environment=incident.environment,
        failure_mode=incident.failure_mode,
        state=incident.state.value,
        tier=incident.tier,
        could_be=incident.highest,
        confirmed=incident.confirmed is not None,
        since_us=incident.onset_us if incident.has_times else None,
        sentence=sentence,
        told_us=told_us,
        seq=seq,
        head=head,
        note=note,
        drill=incident.drill,
        url=f"{base_url}/incidents/{incident.id}" if base_url else "",
        alone=alone,
    )
