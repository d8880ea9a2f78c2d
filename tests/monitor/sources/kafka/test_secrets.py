"""Passwords of a cluster come by reference, and are printed nowhere."""

from pathlib import Path

import pytest

from monitor.cli import run_command_line
from monitor.config.load import load_configuration
from monitor.config.problems import ConfigurationError
from monitor.sources.kafka import Kafka

SECRET = "correct-horse"
CONFIGURATION = """
version: 1
system: {{name: scorer, environment: test}}
source:
  type: kafka
  bootstrap_servers: ["127.0.0.1:1"]
  partitions: [outputs/0]
  security_protocol: SASL_SSL
  sasl_mechanism: SCRAM-SHA-256
  sasl_username: monitor
  {options}
schema:
  columns:
    - {{name: ts, role: timestamp}}
    - {{name: approved, role: prediction}}
windows: {{type: tumbling, seconds: 3600}}
detectors:
  - {{type: distribution_shift, column: approved, tolerance: 0.1, rule: threshold}}
"""


def configured(folder: Path, options: str) -> Path:
    path = folder / "monitor.yaml"
    path.write_text(CONFIGURATION.format(options=options))
    return path


@pytest.mark.parametrize(
    "options", ["sasl_password: ${KAFKA_PASSWORD}", "sasl_password_file: password"]
)
def test_a_password_comes_from_the_environment_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str
) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", SECRET)
    (tmp_path / "password").write_text(f"{SECRET}\n")

    source = load_configuration(configured(tmp_path, options)).source

    assert isinstance(source, Kafka)
    assert source.read_password() == SECRET
    assert SECRET not in repr(source)


@pytest.mark.parametrize(
    "options",
    [
        f"sasl_password: {SECRET}",
        f"sasl_password_file: password\n  ssl_key_password: {SECRET}",
        f"sasl_password: [{SECRET}]",
        f"sasl_password: ${{{SECRET}",
    ],
)
def test_a_password_in_the_file_itself_is_refused_and_not_printed(
    tmp_path: Path, options: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configured(tmp_path, options)

    with pytest.raises(ConfigurationError) as refused:
        load_configuration(path)
    status = run_command_line(["check", str(path), "--json"])

    printed = "".join(capsys.readouterr())
    assert status == 1
    assert "<secret>" in printed
    assert SECRET not in printed + str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        "sasl_password: ${KAFKA_PASSWORD}",
        "sasl_password: ${KAFKA_PASSWORD}\n  sasl_password_file: password",
        "sasl_password: ${KAFKA_PASSWORD}\n  ssl_ca_file: no-such-file",
        "sasl_password: ${KAFKA_PASSWORD}\n  session_timeout_seconds: 1",
        "sasl_password: ${KAFKA_PASSWORD}\n  no_such_option: 1",
    ],
)
def test_check_never_prints_a_password(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: str,
) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", SECRET)
    path = str(configured(tmp_path, options))

    run_command_line(["check", path, "--json"])
    run_command_line(["check", path])

    captured = capsys.readouterr()
    assert captured.out
    assert SECRET not in captured.out + captured.err


def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    source = load_configuration(configured(tmp_path, "sasl_password_file: password")).source
    assert isinstance(source, Kafka)

    with pytest.raises(Exception, match=r"source.sasl_password_file .* No such file"):
        source.read_password()
