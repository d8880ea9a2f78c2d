"""Who may connect to a secured Kafka node, and with what: certificates and a user."""

import datetime
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.brokers.ports import LOOPBACK

__all__ = ["Authority", "Identity", "Security"]

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Identity:
    """A certificate with its private key, in PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; its own is in `certificate`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._draft(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(_pem(own.sign(self._key, hashes.SHA256())))

    def identity(self, name: str, *, password: str | None = None) -> Identity:
        """Return a certificate of this name for the loopback address, as server and client."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            self._draft(subject, key)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False
            )
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        made = Identity(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        made.certificate.write_bytes(_pem(certificate))
        made.key.write_bytes(_pem_key(key, password))
        return made

    def _draft(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
        )


@dataclass(frozen=True)
class Security:
    """What a node asks of its clients, and what they need to answer.

    The listener `SSL` asks for a certificate that `authority` has signed; the listener `SASL_SSL`
    for the password of the user.
    """

    authority: Authority
    client: Identity
    key_store: Path
    user: str = "outputwatch"
    password: str = "correct horse; battery: staple"
    key_password: str = "another horse"
    mechanism: str = "SCRAM-SHA-256"

    @classmethod
    def made(cls, folder: Path) -> Self:
        """Return fresh certificates in a folder."""
        authority = Authority(folder, "authority")
        server = authority.identity("broker")
        key_store = folder / "broker-key-store.pem"
        key_store.write_bytes(server.key.read_bytes() + server.certificate.read_bytes())
        client = authority.identity("client", password=cls.key_password)
        return cls(authority, client, key_store)

    def server_properties(self) -> dict[str, str]:
        """Return what the node is told besides its listeners."""
        module = "org.apache.kafka.common.security.scram.ScramLoginModule"
        prefix = f"listener.name.sasl_ssl.{self.mechanism.lower()}.sasl"
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.key_store),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.certificate),
            "listener.name.ssl.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": self.mechanism,
            f"{prefix}.jaas.config": f"{module} required;",
        }

    def format_options(self) -> list[str]:
        """Return what the storage is formatted with, so that the user exists from the start."""
        user = f'[name={self.user},password="{self.password}"]'
        return ["--add-scram", f"{self.mechanism}={user}"]


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_key(key: ec.EllipticCurvePrivateKey, password: str | None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password.encode())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
