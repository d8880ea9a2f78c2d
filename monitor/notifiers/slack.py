"""Slack, and what takes the same messages: an incoming webhook, or a bot with threads."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final

import annotated_types as at

from monitor.notifiers.base import (
    Channel,
    DeliveryError,
    Receipt,
    RefusedError,
    Sending,
    notifier,
)
from monitor.notifiers.http_posts import Answer, check_url, json_body, post
from monitor.notifiers.notice import Notice

__all__ = ["Slack"]

_LONGEST_SECTION: Final = 3_000
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# What Slack says of a message that another attempt could bring through.
_AGAIN: Final = frozenset(
    {"ratelimited", "rate_limited", "fatal_error", "internal_error", "service_unavailable",
     "request_timeout"}
)  # fmt: skip


@notifier
@dataclass(frozen=True, slots=True, kw_only=True)
class Slack(Channel):
    """Messages to Slack, Mattermost and others that take Slack's incoming webhooks.

    With a `webhook` every notice is a message. With a `token` and `room`, messages go through
    ``chat.postMessage`` and what follows on an incident goes into its thread. Slack has no
    idempotency key: where its answer was lost, a message may stand there twice.

    Parameters
    ----------
    channel, min_tier, failure_modes, drill
        See `monitor.notifiers.base.Channel`.
    webhook
        The address of an incoming webhook; ``${NAME}`` is replaced by the environment variable.
        It is a secret, and never printed.
    token
        The token of a bot with the scope ``chat:write``, instead of `webhook`; ``${NAME}`` is
        replaced by the environment variable. It is never printed.
    room
        Where the bot writes, the id of a Slack channel.
    api_url
        Where Slack's methods are.
    timeout_seconds
        For one attempt.
    allow_private
        Whether the address may be one of this machine or of a private network.
    """

    name: ClassVar[str] = "slack"
    webhook: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    room: str = ""
    api_url: str = "https://slack.com/api"
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 10.0
    allow_private: bool = False

    def __post_init__(self) -> None:
        """Refuse options that cannot go together."""
        if bool(self.webhook) == bool(self.token):
            message = "either webhook or token must be given, not both"
            raise ValueError(message)
        if self.token and not self.room:
            message = "room must be given with token: the id of the Slack channel"
            raise ValueError(message)
        if self.webhook:
            check_url(self.webhook, option="webhook", allow_private=self.allow_private)
        check_url(self.api_url, option="api_url", allow_private=self.allow_private)

    def deliver(self, notice: Notice, sending: Sending) -> Receipt:
        """Post one message."""
        if self.webhook:
            self._post(self.webhook, _message(notice), {}, sending)
            return Receipt()
        message = {**_message(notice), "channel": self.room}
        if sending.thread is not None:
            message["thread_ts"] = sending.thread
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.api_url.rstrip('/')}/chat.postMessage"
        answer = self._post(url, message, headers, sending).record()
        if answer.get("ok") is not True:
            reason = str(answer.get("error", "no JSON object"))
            text = f"Slack must accept the message, got {reason!r}"
            raise DeliveryError(text) if _may_pass(answer, reason) else RefusedError(text)
        # What follows answers to the first message, so this is what is remembered.
        return Receipt(provider_id=str(answer["ts"]) if "ts" in answer else None)

    def _post(
        self, url: str, message: dict[str, Any], headers: dict[str, str], sending: Sending
    ) -> Answer:
        return post(
            url,
            json_body(message),
            headers=headers,
            timeout_seconds=self.timeout_seconds,
            allow_private=self.allow_private,
            now_us=sending.now_us,
        )


def _may_pass(answer: object, reason: str) -> bool:
    return not answer or reason in _AGAIN


def _message(notice: Notice) -> dict[str, Any]:
    """Return the message: plain text for notifications, blocks to read."""
    *lines, footer = (_plain(line) for line in notice.lines)
    subject = _plain(notice.subject)
    section = "\n".join((f"*{subject}*", *lines))[:_LONGEST_SECTION]
    return {
        "text": subject,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": section}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": footer}]},
        ],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _plain(text: str) -> str:
    """Return text in which nothing is a mention or a link of Slack's making.

    Examples
    --------
    >>> _plain("<!channel> a & b")
    '&lt;!channel&gt; a &amp; b'
    """
    return text.translate(_ESCAPES)
