"""Nothing is sent to this machine or into private networks unless that is allowed."""

from collections.abc import Callable
from typing import Any

import pytest

from monitor.notifiers.addresses import allowed_address, is_public
from monitor.notifiers.base import DeliveryError, RefusedError, Sending
from monitor.notifiers.notice import Notice
from monitor.notifiers.smtp import Smtp
from monitor.notifiers.webhook import Webhook

PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_known_as_such(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_known_as_such(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "::1"])
def test_every_way_to_write_this_machine_is_refused(host: str) -> None:
    with pytest.raises(RefusedError, match="allow_private"):
        allowed_address(host, 80, allow_private=False)


def test_the_address_that_was_checked_is_given_to_connect_to() -> None:
    assert allowed_address("localhost", 80, allow_private=True) in {"127.0.0.1", "::1"}


def test_a_host_without_an_address_may_get_one_later() -> None:
    with pytest.raises(DeliveryError) as caught:
        allowed_address("nowhere.invalid", 443, allow_private=False)

    assert not isinstance(caught.value, RefusedError)


def test_nothing_reaches_a_server_on_this_machine(
    server: Any, notice: Callable[..., Notice], sending: Sending
) -> None:
    webhook = Webhook(channel="c", url=f"https://localhost:{server.port}/", secret="s")

    with pytest.raises(RefusedError, match="public addresses"):
        webhook.deliver(notice(), sending)

    assert server.requests == []


def test_a_mail_server_on_this_machine_is_refused_too(
    notice: Callable[..., Notice], sending: Sending
) -> None:
    mail = Smtp(channel="c", host="localhost", sender="a@b.org", recipients=("c@d.org",))

    with pytest.raises(RefusedError, match="public addresses"):
        mail.deliver(notice(), sending)
