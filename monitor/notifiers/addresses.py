"""Which addresses may be sent to: the host is resolved once, and that address is connected to.

A name that is checked and then resolved again can stand for another machine the second time
(DNS rebinding), so what is checked is what is used.
"""

import ipaddress
import socket
from typing import Final

from monitor.notifiers.base import DeliveryError, RefusedError

__all__ = ["allowed_address", "is_public"]

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(text: str) -> bool:
    """Return whether an address is one of the public internet.

    IPv6 addresses that carry one of IPv4 (mapped, 6to4, NAT64) are judged by that one too.

    Examples
    --------
    >>> is_public("8.8.8.8"), is_public("10.0.0.1"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = _carried(address)
    return _is_global(address if inner is None else inner)


def _is_global(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def allowed_address(host: str, port: int, *, allow_private: bool) -> str:
    """Return the address to connect to.

    Parameters
    ----------
    host, port
        What the configuration names.
    allow_private
        Whether addresses of this machine and of private networks may be sent to.

    Raises
    ------
    RefusedError
        If one of the host's addresses is not public and that is not allowed.
    DeliveryError
        If the host has no address now.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        message = f"host {host!r} must have an address, got {error}"
        raise DeliveryError(message) from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                message = (
                    f"{host!r} must have public addresses only, got {address!r}; if it is meant, "
                    "set allow_private: true"
                )
                raise RefusedError(message)
    return addresses[0]
