"""Outputs sent over HTTP, kept in the monitor's database until they are counted."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import annotated_types as at

from monitor.sources.base import source
from monitor.sources.http_stream.loopback import is_loopback
from monitor.sources.inbox import Inbox
from monitor.sources.leases import LeasedClaims
from monitor.sources.live import LiveStream
from monitor.sources.live_only import LiveOnly

__all__ = ["Http"]


@source
@dataclass(frozen=True, slots=True, kw_only=True)
class Http(LiveOnly):
    """Outputs sent by ``POST /v1/outputs``, as a JSON array or one JSON object a line.

    What was answered with 202 is on disk, and is counted once, however often the monitor is
    killed. There is no TLS: on other machines than the monitor's, put a proxy in front.

    Parameters
    ----------
    host
        The address to listen on. Any but one of the machine itself needs a `token`.
    port
        The port to listen on; 0: any free one.
    token
        What clients must send as ``Authorization: Bearer``; ``${NAME}`` is replaced by the
        environment variable. It is never printed. Empty: clients need none.
    max_body_bytes
        The largest body; a larger one is answered with 413.
    max_body_seconds
        How long a client may take to send a body, until it is answered with 408.
    max_waiting_records
        With so many outputs that wait to be counted, clients are answered with 429.
    keep_keys_seconds
        How long after its arrival an ``Idempotency-Key`` is known, if its body was counted.
    """

    name: ClassVar[str] = "http"
    needs_inbox: ClassVar[bool] = True
    host: Annotated[str, at.MinLen(1)] = "127.0.0.1"
    port: Annotated[int, at.Ge(0), at.Le(65_535)] = 9470
    token: str = field(default="", repr=False)
    max_body_bytes: Annotated[int, at.Ge(1_024), at.Le(1 << 28)] = 4 << 20
    max_body_seconds: Annotated[float, at.Gt(0), at.Le(3_600)] = 30.0
    max_waiting_records: Annotated[int, at.Ge(1)] = 1_000_000
    keep_keys_seconds: Annotated[int, at.Ge(0), at.Le(31 * 86_400)] = 3_600

    def __post_init__(self) -> None:
        """Refuse what single constraints cannot say.

        Raises
        ------
        ValueError
            If anybody on the network could send, or the token cannot be sent in a header.
        """
        if not self.token and not is_loopback(self.host):
            message = (
                f"token must be given to listen on {self.host!r}, where other machines can send; "
                "or set host: 127.0.0.1"
            )
            raise ValueError(message)
        if not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            message = "token must be ASCII without spaces and newlines, got <secret>"
            raise ValueError(message)

    def open(self, claims: LeasedClaims, *, worker: str, inbox: Inbox) -> LiveStream:
        """Return the stream of what is sent, and of what waits from before.

        Raises
        ------
        SourceError
            If the address is taken, or not one of this machine.
        """
        # Nobody who only checks a configuration needs a web server.
        from monitor.sources.http_stream.opening import Limits, open_stream

        del worker
        limits = Limits(
            token=self.token,
            max_body_bytes=self.max_body_bytes,
            max_body_seconds=self.max_body_seconds,
            max_waiting_records=self.max_waiting_records,
        )
        return open_stream(
            (self.host, self.port),
            limits,
            claims,
            inbox,
            keep_keys_seconds=self.keep_keys_seconds,
        )
