"""A deployer of the operator's own that is called over HTTP, every call signed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import annotated_types as at

from monitor.clock import SystemClock
from monitor.rollbacks.adapter import Applied, Diff, Observed, rollback_adapter
from monitor.rollbacks.errors import (
    MovedError,
    NotAppliedError,
    OutcomeUnknownError,
    UnreadableError,
)
from monitor.rollbacks.http_calls import check_url, read_url, send
from monitor.rollbacks.signing import (
    IDEMPOTENCY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    sign,
)
from monitor.rollbacks.values import check_absolute, check_reference, read_secret

__all__ = ["Webhook"]

_MOVED = frozenset({409, 412})
_VERSION = 1


@rollback_adapter
@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Asks a deployer to observe, to diff and to apply, by POST with a signed JSON body.

    Every body holds ``version`` (1), ``call`` and ``target``. The deployer answers ``observe``
    with ``{"value", "revision"}``, ``diff`` (with ``to``) with ``{"from", "to", "text"}`` and
    changes nothing; it answers ``apply`` (with ``expect``, ``to`` and ``key``) with a status of
    success when it has switched or will, with 409 if ``expect`` is not in force any more, and
    with another 4xx if it will not. The same ``key`` twice must do nothing the second time.

    Parameters
    ----------
    url
        Where the deployer listens.
    target
        What it calls the thing that is switched.
    secret_file
        A file with the secret that signs the calls, see `monitor.rollbacks.signing`.
    timeout_seconds
        How long one call may take; a deployer that needs longer answers 202 and is observed.
    """

    name: ClassVar[str] = "webhook"
    url: str
    target: Annotated[str, at.MinLen(1)]
    secret_file: str
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 10.0

    def __post_init__(self) -> None:
        """Refuse an address or a file that cannot be right.

        Raises
        ------
        ValueError
            If one of them is wrong.
        """
        check_url(self.url, "url")
        check_absolute(self.secret_file, "secret_file")

    def observe(self) -> Observed:
        """Return what the deployer says is in force."""
        found = self._ask("observe", {})
        value = _text(found, "value")
        revision = str(found.get("revision") or value)
        return Observed(value=value, reference=value, revision=revision, detail=dict(found))

    def diff(self, to: str) -> Diff:
        """Return what the deployer says a switch would change."""
        found = self._ask("diff", {"to": check_reference(to)})
        text = f"deployer of {self.target!r}: {_text(found, 'from')!r} -> {_text(found, 'to')!r}"
        return Diff(
            from_value=_text(found, "from"),
            to_value=_text(found, "to"),
            text=f"{text}\n{found.get('text', '')}".rstrip(),
        )

    def apply(self, expect: Observed, to: str, *, key: str) -> Applied:
        """Ask the deployer to switch, once."""
        asked = {"expect": expect.revision, "to": check_reference(to), "key": key}
        body, headers, secret = self._signed("apply", asked)
        answer = send(
            self.url,
            body,
            headers={**headers, IDEMPOTENCY_HEADER: key},
            timeout_seconds=self.timeout_seconds,
            secrets=(secret,),
        )
        if answer.ok:
            return Applied(detail={"status": answer.status, "answer": answer.text[:2_000]})
        message = f"the deployer must switch {self.target!r}, got {answer.in_words()}"
        if answer.status in _MOVED:
            raise MovedError(message)
        if answer.refused:
            raise NotAppliedError(message)
        raise OutcomeUnknownError(message)

    def _ask(self, call: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        body, headers, secret = self._signed(call, asked)
        answer = read_url(
            self.url,
            body=body,
            headers=headers,
            timeout_seconds=self.timeout_seconds,
            secrets=(secret,),
        )
        if not answer.ok:
            message = f"the deployer must answer {call!r}, got {answer.in_words()}"
            raise UnreadableError(message)
        return answer.record()

    def _signed(self, call: str, asked: Mapping[str, str]) -> tuple[bytes, dict[str, str], str]:
        secret = read_secret(self.secret_file)
        told = {"version": _VERSION, "call": call, "target": self.target, **asked}
        body = json.dumps(told, sort_keys=True).encode()
        timestamp = SystemClock().now_us() // 1_000_000
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: sign(secret, timestamp=timestamp, body=body),
        }
        return body, headers, secret


def _text(found: Mapping[str, Any], option: str) -> str:
    value = found.get(option)
    if not isinstance(value, str) or not value:
        message = f"the deployer's answer must have the text {option!r}, got {value!r}"
        raise UnreadableError(message)
    return value
