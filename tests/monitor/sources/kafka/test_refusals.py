"""Files for TLS are read before any broker is asked, and each problem names its option."""

from pathlib import Path

import pytest

from monitor.sources.base import SourceError
from monitor.sources.kafka import Kafka
from monitor.sources.kafka_stream.refusals import check_certificates
from tests.brokers.kafka_node.security import Authority

PASSWORD = "correct-horse"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"), "authority")


def source(**files: object) -> Kafka:
    options: dict[str, object] = {"security_protocol": "SSL", **files}
    return Kafka(bootstrap_servers=("127.0.0.1:1",), partitions=("outputs/0",), **options)


def test_good_files_pass(authority: Authority) -> None:
    client = authority.identity("client", password=PASSWORD)

    check_certificates(
        source(
            ssl_ca_file=authority.certificate,
            ssl_certificate_file=client.certificate,
            ssl_key_file=client.key,
            ssl_key_password=PASSWORD,
        )
    )


@pytest.mark.parametrize("option", ["ssl_ca_file", "ssl_certificate_file", "ssl_key_file"])
def test_a_file_that_is_missing_is_named(authority: Authority, option: str) -> None:
    client = authority.identity("client")
    files = {"ssl_certificate_file": client.certificate, "ssl_key_file": client.key}

    with pytest.raises(SourceError, match=rf"source\.{option} must be a file .* 'no-such-file'"):
        check_certificates(source(**files | {option: Path("no-such-file")}))


def test_a_file_without_certificates_is_named(authority: Authority) -> None:
    client = authority.identity("client")

    with pytest.raises(SourceError, match=r"source\.ssl_ca_file must hold certificates as PEM"):
        check_certificates(source(ssl_ca_file=client.key))


@pytest.mark.parametrize("password", ["", "wrong"])
def test_an_encrypted_key_needs_its_password(authority: Authority, password: str) -> None:
    client = authority.identity("client", password=PASSWORD)

    with pytest.raises(SourceError, match=r"source\.ssl_key_password") as refused:
        check_certificates(
            source(
                ssl_certificate_file=client.certificate,
                ssl_key_file=client.key,
                ssl_key_password=password,
            )
        )

    assert PASSWORD not in str(refused.value)


def test_the_key_must_be_that_of_the_certificate(authority: Authority) -> None:
    client, other = authority.identity("client"), authority.identity("other")

    with pytest.raises(SourceError, match=r"source\.ssl_key_file its private key"):
        check_certificates(source(ssl_certificate_file=client.certificate, ssl_key_file=other.key))
