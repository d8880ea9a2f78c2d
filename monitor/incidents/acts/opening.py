"""An incident that no signal opened: a person did."""

import hashlib
from dataclasses import dataclass

from baselines.summary import WindowKey
from detectors.base import FailureMode
from monitor.incidents.acts.base import Occasion
from monitor.incidents.grouping import Changes
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalKind
from monitor.incidents.right_checks import check_right
from monitor.incidents.rights import Decision
from monitor.incidents.roles import RefusedActError
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Axes, Suggestion, Tier, worse
from monitor.incidents.timeline import EntryKind

__all__ = ["Report", "opened"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a person reports.

    Parameters
    ----------
    system, environment
        What it is about.
    title
        One line in words.
    failure_mode
        The kind of incident that it is filed under.
    stated_mode
        What went wrong in the person's own words: not every case fits four kinds.
    tier
        How bad the person thinks it is.
    could_be
        How bad it could be.
    onset_us
        When it began, if known.
    drill
        Whether it is practice.
    """

    system: str
    environment: str
    title: str
    failure_mode: FailureMode
    stated_mode: str = ""
    tier: Tier = Tier.SEV3
    could_be: Tier = Tier.SEV1
    onset_us: int | None = None
    drill: bool = False


def opened(report: Report, occasion: Occasion) -> Changes:
    """Return the new incident and its first entry.

    Raises
    ------
    RefusedActError
        If title or reason are missing, or the person may not act.
    """
    check_right(Decision.OPEN, occasion.by, occasion.second, people=occasion.people)
    if not report.title.strip() or not occasion.reason.strip():
        message = "an incident needs a title and a reason; say what was seen, and by whom"
        raise RefusedActError(message)
    entry = occasion.entry(
        EntryKind.OPENED_BY_PERSON,
        {
            "title": report.title,
            "failure_mode": report.failure_mode.value,
            "stated_mode": report.stated_mode,
            "tier": report.tier.value,
            "could_be": report.could_be.value,
            "onset_us": report.onset_us,
            "drill": report.drill,
        },
    )
    begun_us = entry.occurred_us if report.onset_us is None else report.onset_us
    window = WindowKey(min(begun_us, entry.occurred_us), entry.occurred_us)
    incident = Incident(
        id=_id(report, occasion),
        system=report.system,
        environment=report.environment,
        kind=SignalKind.REPORTED,
        failure_mode=report.failure_mode,
        title=report.title,
        state=IncidentState.OPEN,
        suggestion=_as_reported(report, occasion.by.name),
        could_be=worse(report.tier, report.could_be),
        signals=(),
        first_window=window,
        last_window=window,
        onset_us=begun_us,
        stated_mode=report.stated_mode,
        drill=report.drill,
    )
    return Changes(incidents=(incident,), entries={incident.id: (entry,)}, opened=(incident.id,))


def _as_reported(report: Report, name: str) -> Suggestion:
    return Suggestion(
        tier=report.tier,
        could_be=worse(report.tier, report.could_be),
        axes=Axes(effect=0, reach=0, stakes=0, reversal=0, people=0),
        reasons=(f"reported as {report.tier.value} by {name}; nothing was measured",),
        unknowns=("what the monitor would measure of it",),
        policy="reported",
    )


def _id(report: Report, occasion: Occasion) -> str:
    parts = (
        report.system,
        report.environment,
        occasion.by.name,
        str(occasion.now_us),
        report.title,
    )
    return hashlib.sha256("\x1f".join(("reported", *parts)).encode()).hexdigest()
