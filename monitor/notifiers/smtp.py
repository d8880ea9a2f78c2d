"""E-mail, by SMTP."""

import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import Annotated, ClassVar, Literal

import annotated_types as at

from monitor.notifiers.addresses import allowed_address
from monitor.notifiers.base import Channel, DeliveryError, Receipt, RefusedError, Sending, notifier
from monitor.notifiers.notice import Notice

__all__ = ["Smtp"]

_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@notifier
@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp(Channel):
    """E-mail through a server that takes it in.

    Every attempt at a notice has the same ``Message-ID``, by which mailboxes drop what comes
    twice; messages about one incident refer to each other. Most relays stand in a private
    network: set `allow_private` for those.

    Parameters
    ----------
    channel, min_tier, failure_modes, drill
        See `monitor.notifiers.base.Channel`.
    host
        The server.
    port
        Its port; null: 587, 465 or 25, by `security`.
    security
        ``starttls``: encrypted after a greeting; ``tls``: from the beginning; ``none``: not,
        which goes with `allow_private` only.
    sender, recipients
        Addresses.
    user
        To log in with; empty: none.
    password
        ``${NAME}`` is replaced by the environment variable. It is never printed.
    timeout_seconds
        For each step of the exchange.
    allow_private
        Whether the server may be this machine or in a private network.
    """

    name: ClassVar[str] = "smtp"
    host: Annotated[str, at.MinLen(1)]
    port: Annotated[int, at.Ge(1), at.Le(65_535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Annotated[str, at.MinLen(3)]
    recipients: Annotated[tuple[Annotated[str, at.MinLen(3)], ...], at.MinLen(1)]
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 20.0
    allow_private: bool = False

    def __post_init__(self) -> None:
        """Refuse options that cannot go together."""
        if self.security == "none" and not self.allow_private:
            message = "security must be 'starttls' or 'tls' unless allow_private is true"
            raise ValueError(message)
        for address in (self.sender, *self.recipients):
            if "@" not in address or not address.isprintable() or " " in address:
                message = f"sender and recipients must be e-mail addresses, got {address!r}"
                raise ValueError(message)

    def deliver(self, notice: Notice, sending: Sending) -> Receipt:
        """Hand one message to the server; all recipients or none count as delivered."""
        message = self._message(notice, sending)
        port = self.port or _PORTS[self.security]
        address = allowed_address(self.host, port, allow_private=self.allow_private)
        try:
            self._send(message, address, port)
        except smtplib.SMTPResponseException as error:
            raise self._error(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise self._error(code, said) from error
        except (OSError, smtplib.SMTPException) as error:
            text = f"{self.host!r} must take the message, got {type(error).__name__}"
            raise DeliveryError(text) from error
        return Receipt(provider_id=message["Message-ID"])

    def _send(self, message: EmailMessage, address: str, port: int) -> None:
        context = ssl.create_default_context()
        client = _Client(self.host, address, self.timeout_seconds)
        if self.security == "tls":
            client.context = context
        client.connect(self.host, port)
        with client:
            if self.security == "starttls":
                client.starttls(context=context)
            if self.user:
                client.login(self.user, self.password)
            refused = client.send_message(message)
        if refused:
            code, said = next(iter(refused.values()))
            raise smtplib.SMTPResponseException(code, said)

    def _message(self, notice: Notice, sending: Sending) -> EmailMessage:
        message = EmailMessage()
        domain = self.sender.rpartition("@")[2]
        thread = f"<{notice.incident_id}.incident@{domain}>"
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Subject"] = " ".join(notice.subject.split())
        message["Date"] = formatdate(notice.told_us / 1_000_000)
        message["Message-ID"] = f"<{sending.key}@{domain}>"
        message["In-Reply-To"] = thread
        message["References"] = thread
        message["Auto-Submitted"] = "auto-generated"
        message.set_content("\n\n".join(notice.lines) + "\n")
        return message

    def _error(self, code: int, said: bytes | str) -> DeliveryError:
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        text = f"{self.host!r} must take the message, got {code} {' '.join(words.split())[:200]}"
        # RFC 5321, 4.2.1: 4yz is transient, 5yz permanent.
        return RefusedError(text) if 500 <= code < 600 else DeliveryError(text)


class _Client(smtplib.SMTP):
    """Connects to an address that was checked, and speaks to it as the host."""

    def __init__(self, host: str, address: str, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self._host = host
        self._checked = address
        self.context: ssl.SSLContext | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        raw = socket.create_connection((self._checked, port), timeout)
        if self.context is None:
            return raw
        return self.context.wrap_socket(raw, server_hostname=host)
