"""Signatures of webhook calls; whoever receives them can use the same functions."""

import hashlib
import hmac

__all__ = ["IDEMPOTENCY_HEADER", "SIGNATURE_HEADER", "TIMESTAMP_HEADER", "sign", "verify"]

SIGNATURE_HEADER = "Outputwatch-Signature"
TIMESTAMP_HEADER = "Outputwatch-Timestamp"
IDEMPOTENCY_HEADER = "Idempotency-Key"
_VERSION = "v1="


def sign(secret: str, *, timestamp: int, body: bytes) -> str:
    """Return the signature of a body that is sent at a time.

    Parameters
    ----------
    secret
        What both sides know.
    timestamp
        Seconds since the epoch.
    body
        The very bytes that are sent.

    Returns
    -------
    str
        ``v1=`` and the HMAC-SHA256 [1]_ of the timestamp, a full stop and the body, in
        hexadecimal.

    References
    ----------
    .. [1] H. Krawczyk, M. Bellare, R. Canetti, HMAC: Keyed-Hashing for Message Authentication,
       RFC 2104, 1997.

    Examples
    --------
    >>> sign("key", timestamp=0, body=b"{}")[:11]
    'v1=7314351d'
    """
    signed = b"%d." % timestamp + body
    return _VERSION + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def verify(
    secret: str,
    signature: str,
    *,
    timestamp: int,
    body: bytes,
    now: int,
    tolerance_seconds: int = 300,
) -> bool:
    """Return whether a body was signed with the secret, at most `tolerance_seconds` from now."""
    if abs(now - timestamp) > tolerance_seconds:
        return False
    expected = sign(secret, timestamp=timestamp, body=body)
    return hmac.compare_digest(expected.encode(), signature.encode())
