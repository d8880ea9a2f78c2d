"""The built-in severity policy is one that a user may copy."""

from pathlib import Path

import pytest

from monitor.cli import run_command_line
from monitor.config.severity import load_severity_policy
from monitor.severity.scoring import FiveAxes


def test_the_built_in_policy_as_it_is_written_out_is_read_as_the_very_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run_command_line(["schema", "--severity-policy"])
    (tmp_path / "copy.yaml").write_text(capsys.readouterr().out)

    policy = load_severity_policy(tmp_path / "copy.yaml")

    assert status == 0
    assert policy == FiveAxes()
    assert policy.label == "five_axes 1"


def test_a_number_that_was_changed_without_the_version_shows_in_the_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command_line(["schema", "--severity-policy"])
    text = capsys.readouterr().out
    (tmp_path / "copy.yaml").write_text(text.replace("SEV2: 8", "SEV2: 7"))

    policy = load_severity_policy(tmp_path / "copy.yaml")

    assert policy.label == f"five_axes 1 ({policy.rules.digest[:8]})"
