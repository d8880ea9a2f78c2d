"""Prometheus Alertmanager, by its API v2."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import annotated_types as at

from monitor.notifiers.base import Channel, Receipt, Sending, notifier
from monitor.notifiers.http_posts import check_url, json_body, post
from monitor.notifiers.notice import Notice, NoticeKind
from monitor.printing import time_text

__all__ = ["Alertmanager"]


@notifier
@dataclass(frozen=True, slots=True, kw_only=True)
class Alertmanager(Channel):
    """Alerts to Alertmanager, by ``POST /api/v2/alerts``.

    Alertmanager takes an alert that is not sent again for resolved. So every alert says itself
    until when it holds (`hold_seconds`), and is sent again every `repeat_seconds` while the
    incident is active: a metric that is computed once a day does not resolve itself, nor does
    a monitor that is restarted. The tier is an annotation, not a label, so that an incident
    stays one alert when it gets more severe; route tiers by channels with a `min_tier` each.

    Parameters
    ----------
    channel, min_tier, failure_modes, drill
        See `monitor.notifiers.base.Channel`.
    url
        Of Alertmanager, without ``/api/v2/alerts``.
    token
        Sent as ``Authorization: Bearer``; ``${NAME}`` is replaced by the environment variable.
        It is never printed. Empty: none.
    labels
        Added to every alert, to route by.
    repeat_seconds
        How often alerts of active incidents are sent again.
    hold_seconds
        How long an alert stays if nothing more is heard of the monitor.
    timeout_seconds
        For one attempt.
    allow_private
        Whether `url` may be one of this machine or of a private network.
    """

    name: ClassVar[str] = "alertmanager"
    url: str
    token: str = field(default="", repr=False)
    labels: dict[str, str] = field(default_factory=dict)
    repeat_seconds: Annotated[float, at.Ge(1), at.Le(86_400)] = 60.0
    hold_seconds: Annotated[int, at.Ge(300), at.Le(31 * 86_400)] = 86_400
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 10.0
    allow_private: bool = False

    def __post_init__(self) -> None:
        """Refuse options that cannot go together."""
        check_url(self.url, allow_private=self.allow_private)
        if self.hold_seconds < 2 * self.repeat_seconds:
            message = "hold_seconds must be at least twice repeat_seconds"
            raise ValueError(message)

    def deliver(self, notice: Notice, sending: Sending) -> Receipt:
        """Send the alert as it stands after a notice."""
        self._send(notice, sending, is_over=notice.kind is NoticeKind.FINISHED)
        return Receipt(provider_id=notice.incident_id)

    def refresh(self, notice: Notice, sending: Sending) -> None:
        """Send the alert of an active incident again."""
        self._send(notice, sending, is_over=False)

    def _send(self, notice: Notice, sending: Sending, *, is_over: bool) -> None:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        post(
            f"{self.url.rstrip('/')}/api/v2/alerts",
            json_body([self._alert(notice, sending.now_us, is_over=is_over)]),
            headers=headers,
            timeout_seconds=self.timeout_seconds,
            allow_private=self.allow_private,
            now_us=sending.now_us,
        )

    def _alert(self, notice: Notice, now_us: int, *, is_over: bool) -> dict[str, Any]:
        ends_us = now_us if is_over else now_us + self.hold_seconds * 1_000_000
        starts_us = notice.told_us if notice.since_us is None else notice.since_us
        alert: dict[str, Any] = {
            # What identifies the alert: it must not change while the incident lasts.
            "labels": {
                **self.labels,
                "alertname": "OutputwatchIncident",
                "incident": notice.incident_id,
                "system": notice.system,
                "environment": notice.environment,
            },
            "annotations": {
                "summary": notice.subject,
                "description": "\n".join(notice.lines),
                "tier": notice.tier.value,
                "could_be": notice.could_be.value,
                "failure_mode": notice.failure_mode.value,
                "anchor": notice.footer,
            },
            "startsAt": time_text(min(starts_us, ends_us)),
            "endsAt": time_text(ends_us),
        }
        if notice.url:
            alert["generatorURL"] = notice.url
        return alert
