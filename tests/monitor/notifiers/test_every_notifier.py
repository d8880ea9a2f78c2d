"""What holds for every notifier, and for what they say."""

import dataclasses
import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from monitor.incidents.records import from_record, to_record
from monitor.incidents.suggestion import Tier
from monitor.notifiers.apprise import Apprise
from monitor.notifiers.base import (
    Channel,
    DeliveryError,
    Notifier,
    Receipt,
    Sending,
    registered_notifiers,
)
from monitor.notifiers.notice import Notice, NoticeKind

OPTIONS: dict[str, dict[str, Any]] = {
    "alertmanager": {"url": "https://a.example.org"},
    "apprise": {"url": "json://s3cret.example.org", "allow_private": True},
    "pagerduty": {"routing_key": "s3cret"},
    "record": {"path": "/tmp/notices.jsonl"},
    "slack": {"webhook": "https://hooks.example.org/s3cret"},
    "smtp": {
        "host": "mail.example.org",
        "sender": "a@example.org",
        "recipients": ("b@example.org",),
        "password": "s3cret",
    },
    "webhook": {"url": "https://hooks.example.org/s3cret", "secret": "s3cret"},
}


@pytest.mark.parametrize("name", registered_notifiers())
def test_a_notifier_is_frozen_takes_the_common_options_and_shows_no_secret(name: str) -> None:
    cls = registered_notifiers()[name]

    made = cls(channel="c", min_tier=Tier.SEV2, drill=True, **OPTIONS[name])

    assert isinstance(made, Notifier)
    assert isinstance(made, Channel)
    assert "s3cret" not in repr(made)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.channel = "other"


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_notice_survives_the_outbox(kind: NoticeKind, notice: Callable[..., Notice]) -> None:
    made = notice(kind, since_us=None, drill=True)

    assert from_record(Notice, to_record(made)) == made


def test_the_text_says_tier_how_high_since_when_effect_link_and_anchor(
    notice: Callable[..., Notice],
) -> None:
    assert notice().text.splitlines() == [
        "[SEV2 suggested, could be as high as SEV1] incident 12 opened: "
        "Bias: selection rate of F, 2 times the tolerance",
        "system loans, production; bias failure",
        "since 2025-12-31T23:00:00Z (estimated)",
        "F is selected less often",
        "https://outputwatch.example.org/incidents/12",
        f"timeline entry 3, {'f' * 64}",
    ]


def test_practice_is_called_so_and_a_decided_tier_is_not_a_suggestion(
    notice: Callable[..., Notice],
) -> None:
    made = notice(drill=True, confirmed=True, tier=Tier.SEV1)

    assert made.subject.startswith("DRILL [SEV1 confirmed] incident 12")


def test_apprise_does_not_promise_to_refuse_private_addresses() -> None:
    with pytest.raises(ValueError, match="allow_private must be true"):
        Apprise(channel="c", url="json://example.org")


def test_apprise_hands_a_message_on_or_says_what_is_missing(
    server: Any, notice: Callable[..., Notice], sending: Sending
) -> None:
    channel = Apprise(channel="c", url=f"json://127.0.0.1:{server.port}/", allow_private=True)
    server.answer(200)
    # The library warns of its own deprecations.
    with warnings.catch_warnings(action="ignore"):
        if importlib.util.find_spec("apprise") is None:
            with pytest.raises(DeliveryError, match=r"pip install 'outputwatch\[apprise\]'"):
                channel.deliver(notice(), sending)
            return
        assert channel.deliver(notice(), sending) == Receipt()
    assert "incident 12" in server.requests[0].content["title"]
