"""Calls over HTTP that are bounded, and that say whether anything may have happened."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.rollbacks.errors import NotAppliedError, OutcomeUnknownError, UnreadableError
from monitor.rollbacks.values import KEPT_BYTES, redacted

__all__ = ["Answer", "check_url", "read_url", "send"]

_REQUEST_TIMEOUT = 408


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered.

    Parameters
    ----------
    status
        The HTTP status.
    headers
        Its headers, names in lower case.
    text
        The first 64 KiB of the body, secrets replaced.
    """

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def ok(self) -> bool:
        """Return whether the status is one of success."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Return whether the server says that it did nothing: a 4xx but a time-out."""
        return 400 <= self.status < 500 and self.status != _REQUEST_TIMEOUT

    def record(self) -> Mapping[str, Any]:
        """Return the JSON object in the body.

        Raises
        ------
        UnreadableError
            If there is none.
        """
        try:
            found = json.loads(self.text)
        except ValueError as error:
            message = f"the answer must be a JSON object, got {self.text[:200]!r}"
            raise UnreadableError(message) from error
        if not isinstance(found, dict):
            message = f"the answer must be a JSON object, got {self.text[:200]!r}"
            raise UnreadableError(message)
        return found

    def in_words(self) -> str:
        """Return the status and what the server said, in one line."""
        said = " ".join(self.text.split())[:300]
        return f"status {self.status}: {said}" if said else f"status {self.status}"


def check_url(url: str, what: str) -> None:
    """Refuse what is not an HTTP address, or holds a password.

    Raises
    ------
    ValueError
        If it is one of these.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in ("http", "https") or not rest or not url.isprintable() or " " in url:
        message = f"{what} must be an address that begins with 'http://' or 'https://'"
        raise ValueError(message)
    if "@" in rest.partition("/")[0]:
        message = f"{what} must hold no password; name a file that holds it"
        raise ValueError(message)


def read_url(
    url: str,
    *,
    timeout_seconds: float,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    secrets: Sequence[str] = (),
) -> Answer:
    """Return what a server answers to a question that changes nothing.

    Raises
    ------
    UnreadableError
        If it does not answer.
    """
    import httpx

    method = "GET" if body is None else "POST"
    try:
        return _call(method, url, timeout_seconds, params, headers, body, secrets)
    except httpx.HTTPError as error:
        message = f"{_server(url)} must answer, got {_reason(error)}; see that it runs"
        raise UnreadableError(message) from error


def send(
    url: str,
    body: bytes,
    *,
    timeout_seconds: float,
    headers: Mapping[str, str] | None = None,
    secrets: Sequence[str] = (),
) -> Answer:
    """Send what changes something, once.

    Raises
    ------
    NotAppliedError
        If the server was never reached.
    OutcomeUnknownError
        If it was sent, and no whole answer came back.
    """
    import httpx

    try:
        return _call("POST", url, timeout_seconds, None, headers, body, secrets)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        message = f"{_server(url)} was not reached: {_reason(error)}; nothing was sent"
        raise NotAppliedError(message) from error
    except httpx.HTTPError as error:
        message = f"{_server(url)} did not answer in whole: {_reason(error)}"
        raise OutcomeUnknownError(message) from error


def _call(
    method: str,
    url: str,
    timeout_seconds: float,
    params: Mapping[str, str] | None,
    headers: Mapping[str, str] | None,
    body: bytes | None,
    secrets: Sequence[str],
) -> Answer:
    """Make one call over a connection of its own: no redirects, no proxies, no cookies."""
    import httpx

    kept = KEPT_BYTES + max((len(secret.encode()) for secret in secrets), default=0)
    sent = {"Cache-Control": "no-cache", "Accept-Encoding": "identity", **(headers or {})}
    with (
        httpx.Client(timeout=timeout_seconds, trust_env=False, follow_redirects=False) as client,
        client.stream(method, url, params=params, headers=sent, content=body) as response,
    ):
        received = bytearray()
        for chunk in response.iter_raw(KEPT_BYTES):
            received += chunk
            if len(received) >= kept:
                break
        text = redacted(received[:kept].decode("utf-8", "replace"), secrets)
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(
            status=response.status_code,
            headers={name: redacted(value, secrets) for name, value in found.items()},
            text=text.encode()[:KEPT_BYTES].decode("utf-8", "ignore"),
        )


def _server(url: str) -> str:
    return repr("/".join(url.split("/")[:3]))


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
