"""The README's configuration, commands and excerpt of the demo are what happens."""

import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detectors.registry import registered_detectors
from docs.generator.blocks import blocks
from monitor.__main__ import main


def records(days: int) -> Iterator[str]:
    """Yield outputs like the README's example; from day 21 on group b is approved less."""
    chance = random.Random(11)
    start = datetime(2026, 9, 1, tzinfo=UTC)
    for number in range(days * 400):
        group = "a" if chance.random() < 0.6 else "b"
        score = chance.random()
        bar = 0.8 if group == "b" and number >= 21 * 400 else 0.4
        yield json.dumps(
            {
                "timestamp": (start + timedelta(seconds=216 * number)).isoformat(),
                "prediction": "approved" if score > bar else "declined",
                "score": round(score, 3),
                "model_version": "7",
                "user": {"group": group},
            }
        )


def test_the_first_configuration_leads_to_an_incident_on_a_log_like_the_example(
    run_page, repository, tmp_path, capsys
) -> None:
    Path("logs").mkdir()
    Path("logs/september.jsonl").write_text("\n".join(records(28)) + "\n")

    run_page(repository / "README.md")

    status = main(["incident", "show", "monitor.yaml", "1", "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert status == 0
    assert shown["failure_mode"] == "bias"
    assert shown["system"] == "my-model"


def test_the_example_record_is_read_as_the_readme_says(repository, tmp_path) -> None:
    found = {block.language: block for block in blocks((repository / "README.md").read_text())}

    record = json.loads(found["json"].text)
    first = json.loads(next(records(1)))

    assert record.keys() == first.keys()


def test_the_number_of_detectors_is_right(repository) -> None:
    ours = [c for c in registered_detectors().values() if c.__module__.startswith("detectors.")]

    for page in ("README.md", "CHANGELOG.md"):
        text = (repository / page).read_text()
        assert [int(n) for n in re.findall(r"(\d+)\s+detectors", text)] == [len(ours)], page


@pytest.mark.slow
def test_the_demo_prints_what_the_readme_shows(
    repository, tmp_path, capsys, monkeypatch, page_matches
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    shown = [
        b.text for b in blocks((repository / "README.md").read_text()) if b.language == "text"
    ]

    status = main(["demo", "--directory", str(tmp_path / "demo")])

    assert status == 3
    assert len(shown) == 1
    assert page_matches(f"...\n{shown[0]}\n...", capsys.readouterr().out)
