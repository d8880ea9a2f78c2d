"""What the tutorial shows is what happens."""

from pathlib import Path

import pytest


def test_every_step_of_the_tutorial_does_what_it_shows(run_page, repository) -> None:
    printed = run_page(repository / "docs/tutorial/first-audit.md")

    days = printed[-1].splitlines()
    assert len(days) == 7
    assert all("refused is true in" in line for line in days)
    assert days[0].startswith("2026-09-22")


def test_the_second_audit_adds_nothing(run_page, repository, monkeypatch, capsys) -> None:
    from monitor.__main__ import main

    run_page(repository / "docs/tutorial/first-audit.md")
    before = Path("report/findings.csv").read_bytes()
    capsys.readouterr()

    status = main(["audit", "monitor.yaml", "--from", "2026-09-15T00:00:00Z", "--report", "again"])

    assert status == 3
    assert Path("again/findings.csv").read_bytes() == before
    assert "1 incident" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("shown", "output", "same"),
    [
        ("a ... c\n", "a  b  c", True),
        ("a\n", "a\nb\n", False),
        ("a\n...\n", "a\nb\nc\n", True),
    ],
)
def test_dots_stand_for_anything_and_nothing_else_does(shown, output, same, page_matches) -> None:
    assert page_matches(shown, output) is same
