"""A webhook of one's own: JSON with a signature."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import annotated_types as at

from monitor.incidents.records import to_record
from monitor.notifiers.base import Channel, Receipt, Sending, notifier
from monitor.notifiers.http_posts import check_url, json_body, post
from monitor.notifiers.notice import Notice

__all__ = ["Webhook", "signature"]


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a body: HMAC-SHA256 over ``timestamp.body``, in hexadecimal.

    Parameters
    ----------
    timestamp
        Seconds since the epoch, as in the header ``Outputwatch-Timestamp``.

    References
    ----------
    .. [1] H. Krawczyk, M. Bellare, R. Canetti, HMAC: Keyed-Hashing for Message Authentication,
       RFC 2104, 1997.
    """
    signed = b"%d." % timestamp + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


@notifier
@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Channel):
    """Signed JSON to an address of your own.

    ``Idempotency-Key`` is the same for every attempt at one notice: take each key once.
    ``Outputwatch-Signature`` is ``v1=`` and HMAC-SHA256 over ``timestamp.body``, where the
    timestamp is that of ``Outputwatch-Timestamp``: refuse old ones. A status of 2xx is success;
    a field ``id`` of a JSON object in the answer is kept.

    Parameters
    ----------
    channel, min_tier, failure_modes, drill
        See `monitor.notifiers.base.Channel`.
    url
        Where notices go; ``${NAME}`` is replaced by the environment variable. It is never
        printed.
    secret
        What they are signed with; ``${NAME}`` is replaced by the environment variable. It is
        never printed.
    timeout_seconds
        For one attempt.
    allow_private
        Whether `url` may be one of this machine or of a private network.
    """

    name: ClassVar[str] = "webhook"
    url: str = field(repr=False)
    secret: Annotated[str, at.MinLen(1)] = field(repr=False)
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 10.0
    allow_private: bool = False

    def __post_init__(self) -> None:
        """Refuse an address that cannot be right."""
        check_url(self.url, allow_private=self.allow_private)

    def deliver(self, notice: Notice, sending: Sending) -> Receipt:
        """Post one notice."""
        body = json_body(_content(notice, sending.key))
        timestamp = sending.now_us // 1_000_000
        answer = post(
            self.url,
            body,
            headers={
                "Idempotency-Key": sending.key,
                "Outputwatch-Timestamp": str(timestamp),
                "Outputwatch-Signature": f"v1={signature(self.secret, timestamp, body)}",
            },
            timeout_seconds=self.timeout_seconds,
            allow_private=self.allow_private,
            now_us=sending.now_us,
        )
        given = answer.record().get("id")
        return Receipt(provider_id=None if given is None else str(given)[:200])


def _content(notice: Notice, key: str) -> dict[str, Any]:
    return {"version": 1, "id": key, "text": notice.text, "notice": to_record(notice)}
