"""PagerDuty, by its Events API v2."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final

import annotated_types as at

from monitor.incidents.suggestion import Tier
from monitor.notifiers.base import Channel, Receipt, Sending, notifier
from monitor.notifiers.http_posts import check_url, json_body, post
from monitor.notifiers.notice import Notice, NoticeKind
from monitor.printing import time_text

__all__ = ["PagerDuty"]

_SEVERITIES: Final = {
    Tier.SEV1: "critical",
    Tier.SEV2: "error",
    Tier.SEV3: "warning",
    Tier.SEV4: "info",
}
_ACTIONS: Final = {
    NoticeKind.ACKNOWLEDGED: "acknowledge",
    NoticeKind.FINISHED: "resolve",
    NoticeKind.BREAK_GLASS_REVIEWED: "resolve",
}
_OWN_ALERT: Final = frozenset({NoticeKind.BREAK_GLASS, NoticeKind.BREAK_GLASS_REVIEWED})
_LONGEST_SUMMARY: Final = 1_024


@notifier
@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty(Channel):
    """Events to a PagerDuty service, by the Events API v2.

    An incident is one alert: its id is the ``dedup_key``, so that a notice that is sent twice
    changes nothing. A person who acknowledges or finishes the incident here does so there; a
    proposal to resolve never resolves the alert. A rollback that one person carries out alone is
    an alert of its own, as one that is acknowledged does not page again; it ends with its review
    or with the incident.

    Parameters
    ----------
    channel, min_tier, failure_modes, drill
        See `monitor.notifiers.base.Channel`.
    routing_key
        The integration key of the service; ``${NAME}`` is replaced by the environment variable.
        It is never printed.
    url
        Where events go.
    timeout_seconds
        For one attempt.
    allow_private
        Whether `url` may be one of this machine or of a private network.
    """

    name: ClassVar[str] = "pagerduty"
    routing_key: Annotated[str, at.MinLen(1)] = field(repr=False)
    url: str = "https://events.pagerduty.com/v2/enqueue"
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 10.0
    allow_private: bool = False

    def __post_init__(self) -> None:
        """Refuse an address that cannot be right."""
        check_url(self.url, allow_private=self.allow_private)

    def deliver(self, notice: Notice, sending: Sending) -> Receipt:
        """Send an event for each alert that the notice is about."""
        alerts = _alerts(notice)
        answers = [
            post(
                self.url,
                json_body(self._event(notice, alert)),
                headers={},
                timeout_seconds=self.timeout_seconds,
                allow_private=self.allow_private,
                now_us=sending.now_us,
            )
            for alert in alerts
        ]
        return Receipt(provider_id=str(answers[0].record().get("dedup_key", alerts[0])))

    def _event(self, notice: Notice, alert: str) -> dict[str, Any]:
        action = _ACTIONS.get(notice.kind, "trigger")
        event: dict[str, Any] = {
            "routing_key": self.routing_key,
            "event_action": action,
            "dedup_key": alert,
        }
        if action != "trigger":
            return event
        event["client"] = "outputwatch"
        if notice.url:
            event["client_url"] = notice.url
            event["links"] = [{"href": notice.url, "text": notice.name}]
        event["payload"] = {
            "summary": notice.subject[:_LONGEST_SUMMARY],
            "source": f"{notice.system}/{notice.environment}",
            "severity": _SEVERITIES[notice.tier],
            "timestamp": time_text(notice.told_us),
            "component": notice.system,
            "group": notice.environment,
            "class": notice.failure_mode.value,
            "custom_details": {
                "tier": notice.tier_words,
                "since": time_text(notice.since_us),
                "what": notice.sentence,
                "why": notice.note or notice.kind.value,
                "anchor": notice.footer,
            },
        }
        return event


def _alerts(notice: Notice) -> tuple[str, ...]:
    """Return the keys of the alerts that a notice is about, that of the incident first."""
    own = tuple(f"{notice.incident_id}:{rollback}" for rollback in notice.alone)
    if notice.kind in _OWN_ALERT and own:
        return own
    return (notice.incident_id, *own)
