"""What is sent to providers has the documented shape, and what they answer is understood."""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

import pytest

from monitor.notifiers.alertmanager import Alertmanager
from monitor.notifiers.base import DeliveryError, RefusedError, Sending
from monitor.notifiers.notice import Notice, NoticeKind
from monitor.notifiers.pagerduty import PagerDuty
from monitor.notifiers.slack import Slack
from monitor.notifiers.webhook import Webhook

Notices = Callable[..., Notice]


def pagerduty(server: Any, **options: Any) -> PagerDuty:
    options = {"channel": "c", "routing_key": "key", "allow_private": True, **options}
    return PagerDuty(url=f"{server.url}/v2/enqueue", **options)


def webhook(server: Any, **options: Any) -> Webhook:
    options = {"channel": "c", "secret": "sesame", "allow_private": True, **options}
    return Webhook(url=f"{server.url}/hook?a=1", **options)


def bot(server: Any) -> Slack:
    return Slack(
        channel="c", token="xoxb", room="C1", api_url=f"{server.url}/api", allow_private=True
    )


def test_pagerduty_gets_an_event_of_its_api(
    server: Any, notice: Notices, sending: Sending
) -> None:
    server.answer(202, {"status": "success", "dedup_key": "a" * 64})

    receipt = pagerduty(server).deliver(notice(), sending)

    (request,) = server.requests
    event = request.content
    assert receipt.provider_id == "a" * 64
    assert request.path == "/v2/enqueue"
    assert request.headers["content-type"] == "application/json"
    assert (event["routing_key"], event["event_action"]) == ("key", "trigger")
    assert event["dedup_key"] == "a" * 64
    assert event["payload"]["severity"] in {"critical", "error", "warning", "info"}
    assert event["payload"]["source"] == "loans/production"
    assert len(event["payload"]["summary"]) <= 1_024
    assert "f" * 64 in event["payload"]["custom_details"]["anchor"]


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        (NoticeKind.ACKNOWLEDGED, "acknowledge"),
        (NoticeKind.FINISHED, "resolve"),
        (NoticeKind.RESOLUTION_PROPOSED, "trigger"),
        (NoticeKind.REOPENED, "trigger"),
    ],
)
def test_a_proposal_to_resolve_does_not_resolve_at_pagerduty(
    server: Any, notice: Notices, sending: Sending, kind: NoticeKind, action: str
) -> None:
    pagerduty(server).deliver(notice(kind), sending)

    assert server.requests[0].content["event_action"] == action


def test_who_goes_ahead_alone_pages_although_the_incident_is_acknowledged(
    server: Any, notice: Notices, sending: Sending
) -> None:
    first, second = "b" * 64, "c" * 64
    told = [
        notice(),
        notice(NoticeKind.ACKNOWLEDGED),
        notice(NoticeKind.BREAK_GLASS, alone=(first,)),
        notice(NoticeKind.BREAK_GLASS, alone=(second,)),
        notice(NoticeKind.BREAK_GLASS_REVIEWED, alone=(first,)),
        notice(NoticeKind.FINISHED, alone=(second,)),
    ]

    for each in told:
        pagerduty(server).deliver(each, sending)

    events = [request.content for request in server.requests]
    incident = "a" * 64
    assert [(each["event_action"], each["dedup_key"]) for each in events] == [
        ("trigger", incident),
        ("acknowledge", incident),
        ("trigger", f"{incident}:{first}"),
        ("trigger", f"{incident}:{second}"),
        ("resolve", f"{incident}:{first}"),
        ("resolve", incident),
        ("resolve", f"{incident}:{second}"),
    ]
    assert all(len(each["dedup_key"]) <= 255 for each in events)


def alertmanager(server: Any) -> Alertmanager:
    return Alertmanager(channel="c", url=server.url, labels={"team": "x"}, allow_private=True)


def test_alertmanager_keeps_one_alert_of_an_incident_until_it_is_finished(
    server: Any, notice: Notices, sending: Sending
) -> None:
    server.answer(200)

    alertmanager(server).deliver(notice(), sending)
    alertmanager(server).refresh(notice(NoticeKind.SUGGESTION_RAISED), sending)
    alertmanager(server).deliver(notice(NoticeKind.FINISHED), sending)

    alerts = [request.content[0] for request in server.requests]
    assert {request.path for request in server.requests} == {"/api/v2/alerts"}
    assert alerts[0]["labels"] == alerts[1]["labels"] == alerts[2]["labels"]
    assert all(isinstance(value, str) for value in alerts[0]["labels"].values())
    assert alerts[0]["endsAt"] == alerts[1]["endsAt"] == "2026-01-02T00:00:00Z"
    assert alerts[2]["endsAt"] == "2026-01-01T00:00:00Z"
    assert alerts[0]["startsAt"] == "2025-12-31T23:00:00Z"


def test_slack_gets_text_in_which_nothing_is_a_mention(
    server: Any, notice: Notices, sending: Sending
) -> None:
    server.answer(200, b"ok")
    slack = Slack(channel="c", webhook=f"{server.url}/services/x", allow_private=True)

    receipt = slack.deliver(notice(sentence="<!channel> & more"), sending)

    message = server.requests[0].content
    assert receipt.provider_id is None
    assert "&lt;!channel&gt; &amp; more" in message["blocks"][0]["text"]["text"]
    assert "<!" not in server.requests[0].body.decode()
    assert "f" * 64 in message["blocks"][1]["elements"][0]["text"]


def test_what_follows_goes_into_the_thread_of_the_first_message(
    server: Any, notice: Notices, sending: Sending
) -> None:
    server.answer(200, {"ok": True, "ts": "17.1"})

    first = bot(server).deliver(notice(), sending)
    later = Sending(key=sending.key, now_us=sending.now_us, thread=first.provider_id)
    bot(server).deliver(notice(NoticeKind.RESOLUTION_PROPOSED), later)

    one, two = (request.content for request in server.requests)
    assert server.requests[0].headers["authorization"] == "Bearer xoxb"
    assert server.requests[0].path == "/api/chat.postMessage"
    assert (one["channel"], "thread_ts" in one) == ("C1", False)
    assert two["thread_ts"] == "17.1"


@pytest.mark.parametrize(("error", "for_good"), [("invalid_auth", True), ("ratelimited", False)])
def test_slack_says_no_with_status_200(
    server: Any, notice: Notices, sending: Sending, error: str, for_good: bool
) -> None:
    server.answer(200, {"ok": False, "error": error})

    with pytest.raises(DeliveryError, match=error) as caught:
        bot(server).deliver(notice(), sending)

    assert isinstance(caught.value, RefusedError) is for_good


def test_a_webhook_is_signed_and_has_the_same_key_each_time(
    server: Any, notice: Notices, sending: Sending
) -> None:
    server.answer(200, {"id": 77})

    receipt = webhook(server).deliver(notice(), sending)
    webhook(server).deliver(notice(), sending)

    request = server.requests[0]
    timestamp = request.headers["outputwatch-timestamp"]
    signed = f"{timestamp}.".encode() + request.body
    expected = hmac.new(b"sesame", signed, hashlib.sha256).hexdigest()
    assert request.headers["outputwatch-signature"] == f"v1={expected}"
    assert {each.headers["idempotency-key"] for each in server.requests} == {sending.key}
    assert request.path == "/hook?a=1"
    assert request.content["notice"]["incident_id"] == "a" * 64
    assert receipt.provider_id == "77"


@pytest.mark.parametrize(
    ("status", "for_good"), [(400, True), (401, True), (302, True), (429, False), (500, False)]
)
def test_only_what_may_pass_is_tried_again(
    server: Any, notice: Notices, sending: Sending, status: int, for_good: bool
) -> None:
    server.answer(status, b"no", Location="http://127.0.0.1:1/")

    with pytest.raises(DeliveryError, match=str(status)) as caught:
        webhook(server).deliver(notice(), sending)

    assert isinstance(caught.value, RefusedError) is for_good
    assert len(server.requests) == 1


@pytest.mark.parametrize("wait", ["120", "Thu, 01 Jan 2026 00:02:00 GMT"])
def test_the_wait_that_a_provider_asks_for_is_told(
    server: Any, notice: Notices, sending: Sending, wait: str
) -> None:
    server.answer(429, Retry_After=wait)

    with pytest.raises(DeliveryError) as caught:
        pagerduty(server).deliver(notice(), sending)

    assert caught.value.retry_after_seconds == 120


@pytest.mark.parametrize("behaviour", ["close", "hang", "drip"])
def test_a_server_that_does_not_answer_is_given_up_in_time(
    server: Any, notice: Notices, sending: Sending, behaviour: str
) -> None:
    server.answer(behaviour)
    began = time.monotonic()

    with pytest.raises(DeliveryError) as caught:
        webhook(server, timeout_seconds=0.4).deliver(notice(), sending)

    assert not isinstance(caught.value, RefusedError)
    assert time.monotonic() - began < 5


def test_no_error_holds_a_secret(server: Any, notice: Notices, sending: Sending) -> None:
    server.answer(500, b"down")

    with pytest.raises(DeliveryError) as caught:
        webhook(server).deliver(notice(), sending)

    assert "sesame" not in str(caught.value)
    assert "hook" not in str(caught.value)
    assert "sesame" not in repr(webhook(server))
