"""The result of an audit as people read it, from whole audits of a small log."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.engine.audit import AuditResult, run_audit
from monitor.engine.audit_text import audit_text
from monitor.engine.fit import fit_baseline
from monitor.engine.progress import NoProgress
from monitor.engine.runners.serial import SerialRunner
from monitor.severity.scoring import FiveAxes
from monitor.storage.store import Store

SECTIONS = """
version: 1
system: {{name: answers, protected_attributes: [sex]}}
source: {{type: files, paths: [window.jsonl]}}
schema:
  columns:
    - {{name: at, role: {role}}}
    - {{name: sex, role: group}}
    - {{name: topic, role: category}}
    - {{name: ok, role: prediction, dtype: boolean}}
windows: {{type: count, rows: 5000}}
baseline: {{reference: {{paths: [reference.jsonl]}}}}
detectors:
  - {{type: rate_change, column: topic, level: tax, rule: threshold}}
  - {{type: selection_rate_gap, outcome: ok, group: sex, rule: threshold}}
"""


@pytest.fixture
def audited(tmp_path) -> Callable[[str], AuditResult]:
    """Return a function that audits a log in which topics turned and women are refused more."""

    def write(name: str, topic: str, approved: int) -> None:
        times = ["2026-09-01T00:00:00Z", "2026-09-02T00:00:00Z"]
        rows = [
            {"at": times[i % 2], "sex": sex, "topic": topic, "ok": i % 100 < share}
            for sex, share in (("female", approved), ("male", 60))
            for i in range(500)
        ]
        (tmp_path / name).write_text("\n".join(json.dumps(row) for row in rows), "utf-8")

    def audit(role: str) -> AuditResult:
        write("reference.jsonl", "tax", 60)
        write("window.jsonl", "travel", 30)
        path = Path(tmp_path) / "answers.yaml"
        path.write_text(SECTIONS.format(role=role), "utf-8")
        configuration = load_configuration(path)
        clock = FixedClock(1_780_000_000_000_000)
        baseline = fit_baseline(configuration, clock=clock, progress=NoProgress()).baseline
        with Store.open(configuration.storage.url) as store:
            return run_audit(
                configuration,
                baseline=baseline,
                store=store,
                policy=FiveAxes(),
                clock=clock,
                progress=NoProgress(),
                runner=SerialRunner(),
            )

    return audit


def test_numbers_agree_with_their_nouns_and_times_are_told(audited) -> None:
    headline = audit_text(audited("timestamp"), "answers").splitlines()[0]

    assert headline.startswith(
        "answers: 1,000 outputs, 1 window from 2026-09-01T00:00:00Z to 2026-09-02T00:00:00Z, "
        "against baseline "
    )
    assert headline.endswith(": 1 incident")


def test_a_log_without_times_is_not_said_to_be_of_1970(audited) -> None:
    text = audit_text(audited("category"), "answers")

    assert text.startswith("answers: 1,000 outputs, 1 window, against baseline ")
    assert "1970" not in text
    assert "days since the onset" not in text
    assert "    ? time since the onset" in text.splitlines()
    assert "  2 signals" in text.splitlines()


def test_a_log_without_times_has_none_in_its_files_and_in_its_incidents(
    audited, tmp_path, capsys
) -> None:
    audited("category")
    path = str(tmp_path / "answers.yaml")
    main(["baseline", "fit", path, "--promote", "--who", "Ada", "--why", "a test"])

    main(["audit", path, "--report", str(tmp_path / "report"), "--json"])
    for command in (["incident", "list", path], ["incident", "show", path, "1"]):
        main(command)
        main([*command, "--json"])
        main(["audit", path])

    printed = capsys.readouterr().out
    files = [file.read_text("utf-8") for file in (tmp_path / "report").iterdir()]
    assert len(files) >= 5
    for text in (printed, *files):
        assert "1970" not in text
        assert "e-11" not in text
        assert "any" not in text.split()
    assert "unknown, the events have no times" in printed
    assert '"onset": null' in printed
    assert "| number 0 | all |" in (tmp_path / "report/summary.md").read_text("utf-8")


def test_the_sentence_below_a_title_is_of_the_signal_in_the_title(audited) -> None:
    result = audited("timestamp")
    (incident,) = result.incidents
    lead = next(signal for signal in incident.signals if "sex" in signal.identity.series)

    lines = audit_text(result, "answers").splitlines()

    title = lines.index(f"  {incident.title}")
    what = "Bias: selection rate of ok by sex: female 30 % against male 60 %"
    assert incident.title == f"{what}, 3.11 times the tolerance"
    assert lead.identity.series not in incident.title
    assert lines[title + 1] == f"  {lead.worst.sentence}"
    # The other signal is further beyond its tolerance, and yet not the one to lead with.
    assert lead.worst.size < max(signal.worst.size for signal in incident.signals)
