"""Mail goes to a real server that speaks SMTP, and what it says is understood."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from monitor.notifiers.base import DeliveryError, RefusedError, Sending
from monitor.notifiers.notice import Notice, NoticeKind
from monitor.notifiers.smtp import Smtp


class _Session(socketserver.StreamRequestHandler):
    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        server: Any = self.server
        self.say("220 mail.example.org ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            if verb == "QUIT":
                self.say("221 bye")
                return
            if verb == "RCPT" and server.refusal:
                self.say(server.refusal)
            elif verb == "DATA":
                self.say("354 go on")
                content = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    content += part.removeprefix(b".")
                server.messages.append(content)
                self.say("250 taken")
            else:
                server.lines.append(line)
                self.say("250 mail.example.org")


@pytest.fixture
def mail_server() -> Iterator[Any]:
    """Provide a mail server on this machine."""
    server: Any = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session)
    server.daemon_threads = True
    server.messages, server.lines, server.refusal = [], [], ""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def channel(server: Any) -> Smtp:
    return Smtp(
        channel="mail",
        host="127.0.0.1",
        port=server.server_address[1],
        security="none",
        sender="watch@example.org",
        recipients=("one@example.org", "two@example.org"),
        allow_private=True,
    )


def test_a_message_has_the_same_id_each_time_and_refers_to_its_incident(
    mail_server: Any, notice: Callable[..., Notice], sending: Sending
) -> None:
    receipt = channel(mail_server).deliver(notice(title="Fällt auf"), sending)
    channel(mail_server).deliver(notice(NoticeKind.FINISHED), sending)

    one, two = (
        email.message_from_bytes(each, policy=email.policy.default)
        for each in mail_server.messages
    )
    assert one["Message-ID"] == two["Message-ID"] == receipt.provider_id
    assert one["References"] == two["References"]
    assert one["To"] == "one@example.org, two@example.org"
    assert "Fällt auf" in one["Subject"]
    assert "SEV2 suggested, could be as high as SEV1" in one["Subject"]
    assert "timeline entry 3, " + "f" * 64 in one.get_content().replace("\n", "")


@pytest.mark.parametrize(("answer", "for_good"), [("550 no such box", True), ("450 later", False)])
def test_a_refusal_for_now_is_told_from_one_for_good(
    mail_server: Any,
    notice: Callable[..., Notice],
    sending: Sending,
    answer: str,
    for_good: bool,
) -> None:
    mail_server.refusal = answer

    with pytest.raises(DeliveryError, match=answer) as caught:
        channel(mail_server).deliver(notice(), sending)

    assert isinstance(caught.value, RefusedError) is for_good
    assert mail_server.messages == []


def test_a_server_that_is_away_may_come_back(
    mail_server: Any, notice: Callable[..., Notice], sending: Sending
) -> None:
    mail_server.server_close()

    with pytest.raises(DeliveryError) as caught:
        channel(mail_server).deliver(notice(), sending)

    assert not isinstance(caught.value, RefusedError)


def test_what_is_not_encrypted_stays_within_private_networks() -> None:
    with pytest.raises(ValueError, match="starttls"):
        Smtp(channel="c", host="h", security="none", sender="a@b.c", recipients=("d@e.f",))
