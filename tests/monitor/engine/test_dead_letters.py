"""Samples of rejected records."""

import json
from pathlib import Path
from typing import Any

from baselines.schema import Column, Role, Schema
from monitor.config.model import DeadLetterSettings
from monitor.decoding.base import Needs
from monitor.engine.dead_letters import LineNumbers, write_dead_letters
from monitor.sources.files import Files


def sample(
    path: Path, *, start: int = 0, line: int | None = 1, reason: str = "invalid_json"
) -> dict[str, Any]:
    return {
        "reason": reason,
        "path": str(path),
        "start": start,
        "row_group": None,
        "line": line,
        "column": None,
        "detail": "unexpected end",
        "excerpt": "",
    }


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_letter_names_the_line_in_the_file_not_in_the_block(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"one\ntwo\nthree\nfour\n")
    settings = DeadLetterSettings(path=tmp_path / "dead.jsonl", max_samples_per_reason=9)

    write_dead_letters([sample(log, start=8, line=2), sample(log, line=1)], settings)

    assert [letter["line"] for letter in written(settings.path)] == [1, 4]


def test_a_line_that_a_block_begins_inside_of_belongs_to_the_block_before(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b'{"ts": 1767225600}\n' * 100 + b"broken\n")
    blocks = Files(paths=(str(log),), block_bytes=1_024)
    schema = Schema(columns=(Column(name="ts", role=Role.TIMESTAMP, path="ts"),))
    settings = DeadLetterSettings(path=tmp_path / "dead.jsonl")
    samples = [
        sample(log, start=unit.start or 0, line=rejection.line)
        for unit in blocks.units()
        for decoded in blocks.read(unit, schema, Needs())
        for rejection in decoded.rejections
    ]

    write_dead_letters(samples, settings)

    assert [letter["line"] for letter in written(settings.path)] == [101]


def test_each_reason_has_its_own_limit(tmp_path: Path) -> None:
    settings = DeadLetterSettings(path=tmp_path / "dead.jsonl", max_samples_per_reason=2)
    samples = [sample(tmp_path, line=line) for line in range(1, 6)]
    samples.append(sample(tmp_path, reason="truncated_file", line=None))

    n_written = write_dead_letters(samples, settings)

    assert n_written == 3
    assert {letter["reason"] for letter in written(settings.path)} == {
        "invalid_json",
        "truncated_file",
    }


def test_without_rejections_no_file_appears(tmp_path: Path) -> None:
    settings = DeadLetterSettings(path=tmp_path / "dead.jsonl")

    assert write_dead_letters([], settings) == 0
    assert not settings.path.exists()


def test_line_numbers_do_not_depend_on_the_order_of_questions(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"a\nb\nc\n")
    numbers = LineNumbers()

    assert [numbers.before(str(log), start) for start in (4, 0, 6, 2)] == [2, 0, 3, 1]
    assert numbers.before(str(tmp_path / "gone"), 3) is None
