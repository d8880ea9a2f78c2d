"""What the how-to pages show is what happens."""

import csv
import gzip
import json
import random
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from detectors.registry import DETECTORS
from docs.generator.blocks import blocks
from monitor.__main__ import main


def test_two_batches_are_compared_as_shown(run_page, repository) -> None:
    run_page(repository / "docs/how-to/compare-two-batches.md")

    with Path("report/findings.csv").open(newline="") as file:
        verdicts = {row["series"]: row["verdict"] for row in csv.DictReader(file)}
    assert verdicts["selection_rate_gap(decision, sex)"] == "beyond"
    assert verdicts["distribution_shift(years)"] == "within"


def assistant_records(violence: object = False) -> Iterator[str]:
    """Yield eight days of records of the shape that the page about mapping a log describes."""
    chance = random.Random(1)
    check = {"stage": "output", "filter": "moderation", "category": "violence", "status": "ok"}
    for number in range(8 * 600):
        refused = chance.random() < 0.1
        answer = "I'm sorry, but I can't help with that." if refused else "Here you are."
        record = {
            "meta": {"created": 1_788_220_800_000 + number * 144_000, "id": number},
            "model": {"version": "7"},
            "request": {"language": "en"},
            "user": {"age_band": chance.choice(["18-29", "30-44"])},
            "choices": [{"message": {"content": answer}, "finish_reason": "stop"}],
            "gen_ai.usage": {"output_tokens": chance.randint(5, 90)},
            "safety": {"checks": [{**check, "flagged": False, "action": "allow"}]},
            "output/moderation/violence": violence,
        }
        yield json.dumps(record)


def test_the_log_of_the_page_is_mapped_and_judged(run_page, repository, capsys) -> None:
    run_page(repository / "docs/how-to/map-your-log.md")
    Path("logs").mkdir()
    with gzip.open("logs/a.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join([*assistant_records(), "{not JSON"]) + "\n")
    main(["baseline", "fit", "assistant.yaml", "--promote", "--who", "Ada", "--why", "a test"])
    capsys.readouterr()

    status = main(["audit", "assistant.yaml", "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert status == 0
    assert (answer["outputs"], answer["rejected"]) == (4800, {"invalid_json": 1})
    assert answer["findings"] == {"within": 8 * 6}
    (letter,) = map(json.loads, Path("dead_letters.jsonl").read_text().splitlines())
    assert (letter["line"], letter["reason"]) == (4801, "invalid_json")


def test_a_flat_check_that_becomes_null_is_a_loss_of_coverage(
    run_page, repository, capsys
) -> None:
    Path("reference.jsonl").write_text("\n".join(assistant_records(False)) + "\n")
    Path("later.jsonl").write_text("\n".join(assistant_records(None)) + "\n")
    Path("flat.yaml").write_text("""
version: 1
system: {name: flat}
source: {type: files, paths: [later.jsonl]}
schema:
  columns:
    - {name: time, role: timestamp, path: meta.created, unit: ms}
    - {name: output/moderation/violence, role: safety_check}
windows: {type: tumbling, seconds: 86400}
baseline: {reference: {paths: [reference.jsonl]}}
detectors: [{type: safety_coverage, check: output/moderation}]
""")
    fit = ["baseline", "fit", "flat.yaml", "--promote", "--who", "Ada", "--why", "a test"]

    assert main(fit) == 0
    assert main(["audit", "flat.yaml"]) == 3
    assert "output/moderation gave a working verdict on 0 %" in capsys.readouterr().out


def write_decisions(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    chance = random.Random(5)
    rows = [
        {
            "decided_at": "2025-05-01T00:00:00Z",
            "sex": "F" if chance.random() < 0.5 else "M",
            "race": "a" if chance.random() < 0.99 else "b",
            "selected": "yes" if chance.random() < 0.4 else "no",
            "score": chance.random(),
        }
        for _ in range(2000)
    ]
    path.parent.mkdir()
    pq.write_table(pa.Table.from_pylist(rows), path)


def test_the_impact_ratio_table_holds_small_categories_too(run_page, repository) -> None:
    page = repository / "docs/how-to/nyc-local-law-144-table.md"
    run_page(page)
    write_decisions(Path("decisions/2025-05.parquet"))
    decision = ["--promote", "--who", "Ada", "--why", "the year of the audit"]

    fitted = main(["baseline", "fit", "ll144.yaml", *decision])
    audited = main(["audit", "ll144.yaml", "--report", "report"])

    assert (fitted, audited) == (0, 0)
    measures = Path("report/measures.csv").read_text()
    assert "impact_ratio(sex=F)" in measures
    assert "unknown(sex)" in measures
    with Path("report/impact_ratios.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    for column in re.findall(r"^\| (`.*?) \|", page.read_text(), re.MULTILINE):
        assert set(re.findall("`(.*?)`", column)) <= set(lines[0])
    small = [line for line in lines if line["category"] == "b"]
    assert [line["rate_kind"] for line in small] == ["selection rate", "scoring rate"]
    for line in small:
        assert 0 < int(line["outputs"]) < 30
        assert float(line["rate"]) == int(line["positives"]) / int(line["outputs"])
        assert (line["excluded"], line["impact_ratio"]) == ("yes", "")
    assert any(
        (line["attribute"], line["category"], line["excluded"]) == ("sex*race", "F & a", "no")
        for line in lines
    )


@pytest.fixture
def detector_pages(run_page, repository, monkeypatch) -> Iterator[Path]:
    """Write the modules of the page, and forget its detector afterwards."""
    known = dict(DETECTORS.all())
    monkeypatch.setattr(DETECTORS, "_classes", known)
    run_page(repository / "docs/how-to/write-a-detector.md")
    monkeypatch.syspath_prepend(str(Path.cwd()))
    yield Path.cwd()
    sys.modules.pop("outside_range", None)


def test_the_detector_of_the_page_passes_the_test_of_the_page(detector_pages) -> None:
    tests = runpy.run_path("test_outside_range.py")

    names = [name for name in tests if name.startswith("test_")]

    assert len(names) == 3
    for name in names:
        tests[name]()


def test_the_detector_of_the_page_can_be_configured_once_it_is_registered(
    detector_pages, capsys
) -> None:
    configuration = """
version: 1
system: {name: own}
source: {type: files, paths: [log.jsonl]}
schema:
  columns:
    - {name: time, role: timestamp}
    - {name: income, role: numeric}
windows: {type: tumbling, seconds: 3600}
detectors:
  - {type: outside_range, column: "*", tolerance: 2}
"""
    Path("log.jsonl").touch()
    Path("own.yaml").write_text(configuration)
    runpy.run_path("outside_range.py", run_name="outside_range")

    status = main(["check", "own.yaml"])
    mistake = capsys.readouterr().err
    Path("own.yaml").write_text(configuration.replace("tolerance: 2", "tolerance: 0.02"))
    corrected = main(["check", "own.yaml"])

    assert status == 1
    assert "tolerance: must be less than 1, got 2" in mistake
    assert corrected == 0
    assert "1 series" in capsys.readouterr().out


def test_years_of_logs_can_be_audited_with_the_command_shown(repository) -> None:
    page = repository / "docs/how-to/audit-years-of-logs.md"
    shown = [block.text for block in blocks(page.read_text()) if block.language == "console"]

    from monitor.cli import command_parser

    words = shown[0].removeprefix("$ outputwatch ").split()
    parsed = command_parser().parse_args(words)
    assert parsed.workers == 4
