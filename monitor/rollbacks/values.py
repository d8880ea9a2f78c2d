"""Text that comes from outside: references, paths, secrets and what programs print."""

import re
from collections.abc import Iterable
from pathlib import Path

from monitor.rollbacks.errors import UnreadableError

__all__ = [
    "KEPT_BYTES",
    "check_absolute",
    "check_reference",
    "read_secret",
    "redacted",
]

KEPT_BYTES = 64 * 1024
"""How much is kept of what a program or a server says."""

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}")
_SECRET_BYTES = 16 * 1024
_HIDDEN = "<secret>"
# A secret that short would blot out words that merely contain it.
_LEAST_SECRET = 4


def check_reference(value: str, what: str = "reference") -> str:
    """Return `value` if it is safe to hand to a program or a server.

    Raises
    ------
    ValueError
        If it does not begin with a letter or digit, or holds anything but letters, digits and
        ``._:/@+-``, or is longer than 128 characters.

    Examples
    --------
    >>> check_reference("v7")
    'v7'
    """
    if _REFERENCE.fullmatch(value) is None:
        message = (
            f"{what} must begin with a letter or digit and hold only letters, digits and "
            f"'._:/@+-', 128 at most, got {value!r}"
        )
        raise ValueError(message)
    return value


def check_absolute(path: str, what: str) -> None:
    """Refuse a path that is not absolute, or that climbs with ``..``.

    Raises
    ------
    ValueError
        If it is one of these.
    """
    if not path.startswith("/") or ".." in Path(path).parts or "\0" in path:
        message = f"{what} must be an absolute path without '..', got {path!r}"
        raise ValueError(message)


def read_secret(path: str) -> str:
    """Return the secret in a file, without the newline at its end; empty for no file.

    Raises
    ------
    UnreadableError
        If the file cannot be read, is empty, or is not one line of text.
    """
    if not path:
        return ""
    try:
        with Path(path).open("rb") as file:
            secret = file.read(_SECRET_BYTES).decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        message = f"the secret must be a text file that can be read, got {path!r}: {_why(error)}"
        raise UnreadableError(message) from error
    if not secret or not secret.isprintable():
        message = f"the secret in {path!r} must be one line of printable text; write it anew"
        raise UnreadableError(message)
    return secret


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with every secret replaced, the longest first.

    Examples
    --------
    >>> redacted("token hunter22 refused", ["hunter22"])
    'token <secret> refused'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LEAST_SECRET:
            text = text.replace(secret, _HIDDEN)
    return text


def _why(error: Exception) -> str:
    return error.strerror or "unreadable" if isinstance(error, OSError) else "not UTF-8"
