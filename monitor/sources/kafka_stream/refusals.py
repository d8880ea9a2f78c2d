"""Refusals that no second try mends, told with what to do about them."""

import ssl
from pathlib import Path

from kafka.errors import (
    AuthorizationError,
    FencedInstanceIdError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)

from monitor.sources.base import SourceError
from monitor.sources.kafka import Kafka

__all__ = ["check_certificates", "refusal"]

_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_NO_TLS = ("UNEXPECTED_EOF_WHILE_READING", "WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
_ALERT = "ALERT"


def refusal(options: Kafka, error: BaseException) -> SourceError | None:
    """Return the error in words if trying again is of no use, None if it may be.

    Parameters
    ----------
    options
        The source.
    error
        What kafka-python has raised.
    """
    reason = _reason(options, error)
    return None if reason is None else SourceError(reason)


def check_certificates(options: Kafka) -> None:
    """Read the files of TLS before any broker is asked.

    Raises
    ------
    SourceError
        If one of them cannot be used.
    """
    if not options.security_protocol.endswith("SSL"):
        return
    context = ssl.create_default_context()
    if options.ssl_ca_file is not None:
        _check("ssl_ca_file", options.ssl_ca_file)
        try:
            context.load_verify_locations(options.ssl_ca_file)
        except ssl.SSLError as error:
            message = f"source.ssl_ca_file must hold certificates as PEM, got {error.reason!r}"
            raise SourceError(message) from error
    if options.ssl_certificate_file is not None:
        _check("ssl_certificate_file", options.ssl_certificate_file)
        if options.ssl_key_file is not None:
            _check("ssl_key_file", options.ssl_key_file)
        try:
            context.load_cert_chain(
                options.ssl_certificate_file, options.ssl_key_file, options.ssl_key_password
            )
        except ssl.SSLError as error:
            message = (
                "source.ssl_certificate_file must hold a certificate, and source.ssl_key_file "
                "its private key, both as PEM, which source.ssl_key_password opens if it is "
                f"encrypted; got {error.reason or 'a wrong password'!r}"
            )
            raise SourceError(message) from error


def _check(option: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        message = f"source.{option} must be a file that can be read, got {error}"
        raise SourceError(message) from error


def _reason(options: Kafka, error: BaseException) -> str | None:
    if isinstance(error, FencedInstanceIdError):
        return "another worker has the same group_instance_id; give each a name of its own"
    if isinstance(error, UnsupportedSaslMechanismError):
        return (
            "source.sasl_mechanism must be one that the broker offers, got "
            f"{options.sasl_mechanism!r}"
        )
    if isinstance(error, SaslAuthenticationFailedError):
        return (
            f"the broker refuses the user or the password ({error}); check "
            "source.sasl_username and source.sasl_password, and that the broker knows the user "
            f"for {options.sasl_mechanism}"
        )
    if isinstance(error, AuthorizationError):
        return (
            f"the broker refuses: {error!r}; the source needs Read on the group, and Read and "
            "Describe on the topics"
        )
    return _reason_of_tls(options, str(error))


def _reason_of_tls(options: Kafka, detail: str) -> str | None:
    """Return what is wrong with an encrypted connection; the client keeps only the text."""
    if not options.security_protocol.endswith("SSL"):
        return None
    servers = ", ".join(options.bootstrap_servers)
    if _UNTRUSTED in detail:
        return (
            f"the certificate of {servers} is not trusted ({detail}); source.ssl_ca_file must "
            "hold the certificate of who signed it, and source.bootstrap_servers the names that "
            "it is for"
        )
    if any(each in detail for each in _NO_TLS):
        return (
            f"{servers} does not speak TLS ({detail}); source.security_protocol must be that of "
            f"the port, got {options.security_protocol!r}"
        )
    if _ALERT in detail:
        return (
            f"{servers} breaks the TLS connection off ({detail}); it may ask for a certificate "
            "that it trusts: source.ssl_certificate_file and source.ssl_key_file"
        )
    return None
