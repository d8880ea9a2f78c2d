"""Contents about people: the timeline holds a commitment, the vault an encrypted copy.

Whoever destroys the key of an incident erases every content of it; the timeline still
verifies, because it never held more than hashes. The salt is encrypted with the content, so
that a destroyed content cannot be guessed from its commitment either.
"""

import hashlib
from dataclasses import dataclass, field

from monitor.errors import OutputwatchError

__all__ = ["KEY_BYTES", "NONCE_BYTES", "SALT_BYTES", "Sealed", "VaultError", "sealed", "unsealed"]

KEY_BYTES = 32
NONCE_BYTES = 12
SALT_BYTES = 32


class VaultError(OutputwatchError):
    """A content of the vault was erased, or is not what the timeline committed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A content that only the key opens.

    Parameters
    ----------
    commitment
        The sha256 of salt and content, for the timeline.
    body
        Nonce and AES-256-GCM ciphertext of salt and content, for the vault.
    """

    commitment: str
    body: bytes = field(repr=False)


def sealed(content: str, *, incident_id: str, key: bytes, salt: bytes, nonce: bytes) -> Sealed:
    """Return the commitment to a content, and the content encrypted.

    Parameters
    ----------
    content
        What is to be readable only with the key.
    incident_id
        The incident; a body that is moved to another one does not open.
    key, salt, nonce
        Fresh random bytes of the lengths above; the key may be used again, the others not.

    References
    ----------
    .. [1] NIST SP 800-38D, Galois/Counter Mode, 2007.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    plain = salt + content.encode()
    ciphertext = AESGCM(key).encrypt(nonce, plain, incident_id.encode())
    return Sealed(commitment=hashlib.sha256(plain).hexdigest(), body=nonce + ciphertext)


def unsealed(secret: Sealed, *, incident_id: str, key: bytes | None) -> str:
    """Return the content.

    Raises
    ------
    VaultError
        If the key was destroyed, or the body is not what was committed to.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if key is None:
        message = f"the contents of incident {incident_id[:12]!r} were erased for good"
        raise VaultError(message)
    nonce, ciphertext = secret.body[:NONCE_BYTES], secret.body[NONCE_BYTES:]
    try:
        plain = AESGCM(key).decrypt(nonce, ciphertext, incident_id.encode())
    except InvalidTag:
        plain = b""
    if hashlib.sha256(plain).hexdigest() != secret.commitment:
        message = (
            f"a content of incident {incident_id[:12]!r} is not what its timeline committed to; "
            "the vault was changed behind the program's back"
        )
        raise VaultError(message)
    return plain[SALT_BYTES:].decode()
