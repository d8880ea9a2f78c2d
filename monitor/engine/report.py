"""An audit as files: a summary to read, and the findings and incidents as data."""

import html
import json
from collections.abc import Iterator
from pathlib import Path

from baselines.baseline import Baseline
from detectors.base import Verdict
from monitor.config.model import Configuration
from monitor.engine.audit import AuditResult
from monitor.engine.audit_text import audit_record, audit_text, rejections_text
from monitor.engine.impact_ratio_file import reports_impact_ratios, write_impact_ratios
from monitor.engine.since_start_file import write_since_start
from monitor.engine.spreadsheets import TableWriter
from monitor.printing import span_text, time_text
from monitor.storage.findings import StoredFinding
from monitor.storage.store import Store

__all__ = ["write_report"]

_COLUMNS = (
    "id",
    "window_start",
    "window_end",
    "window_number",
    "slice",
    "series",
    "detector",
    "failure_mode",
    "verdict",
    "outputs",
    "reference_outputs",
    "effect",
    "effect_low",
    "effect_high",
    "tolerance",
    "unit",
    "departure",
    "sentence",
    "notes",
)
_BAR = r"\|"


def write_report(
    folder: Path,
    configuration: Configuration,
    baseline: Baseline,
    store: Store,
    result: AuditResult,
) -> tuple[Path, ...]:
    """Write the audit into `folder` and return the files.

    ``audit.json`` holds the result and the incidents, ``findings.csv`` every comparison with
    its interval, ``measures.csv`` the further numbers that detectors report, ``groups.csv``
    the counts by group behind each gap, ``summary.md`` the page to read first, and, where a
    detector makes them, ``impact_ratios.csv`` the impact ratio tables. ``since_start.csv`` bounds
    every rate and gap over the whole audit, valid however often one looks. Two audits of the same
    log against the same baseline write the same findings, byte for byte.
    """
    folder.mkdir(parents=True, exist_ok=True)
    summary, data = folder / "summary.md", folder / "audit.json"
    summary.write_text(_summary(configuration, baseline, store, result), encoding="utf-8")
    data.write_text(json.dumps(audit_record(result), indent=2) + "\n", encoding="utf-8")
    tables = {
        "findings.csv": _COLUMNS,
        "measures.csv": ("finding", "measure", "value", "low", "high"),
        "groups.csv": ("finding", "group", "outputs", "positives"),
    }
    files = {name: (folder / name).open("w", newline="", encoding="utf-8") for name in tables}
    try:
        writers = {name: TableWriter(file, tables[name]) for name, file in files.items()}
        for stored in store.findings(result.job_id):
            finding = stored.finding
            writers["findings.csv"].write([_row(stored)])
            writers["measures.csv"].write(
                (stored.id, m.name, m.value, m.low, m.high) for m in finding.measures
            )
            writers["groups.csv"].write(
                (stored.id, group.group, group.rows, group.positives) for group in finding.groups
            )
    finally:
        for file in files.values():
            file.close()
    written = [summary, data, *(folder / name for name in tables)]
    if reports_impact_ratios(configuration):
        written.append(folder / "impact_ratios.csv")
        write_impact_ratios(written[-1], configuration, baseline, store, result.job_id)
    written.append(folder / "since_start.csv")
    write_since_start(written[-1], configuration, baseline, store, result.job_id)
    return tuple(written)


def _row(stored: StoredFinding) -> tuple[object, ...]:
    finding, key = stored.finding, stored.key
    effect = finding.effect
    return (
        stored.id,
        time_text(key.start_us) if key.has_times else None,
        time_text(key.end_us) if key.has_times else None,
        key.ordinal,
        key.slice,
        finding.series,
        finding.detector,
        str(finding.failure_mode),
        str(finding.verdict),
        finding.n_rows,
        finding.n_reference_rows,
        None if effect is None else effect.value,
        None if effect is None else effect.low,
        None if effect is None else effect.high,
        finding.tolerance,
        finding.unit,
        None if finding.departure is None else finding.departure.value,
        finding.sentence,
        "; ".join(finding.notes),
    )


def _summary(
    configuration: Configuration, baseline: Baseline, store: Store, result: AuditResult
) -> str:
    provenance = baseline.provenance
    lines = [
        f"# Audit of {configuration.system.name} ({configuration.system.environment})",
        "",
        f"- configuration: `{configuration.path.name}`",
        f"- baseline: `{baseline.id}`, {provenance.n_rows:,} outputs"
        + span_text(provenance.first_us, provenance.last_us, before=" from "),
        f"- audit: `{result.job_id}`",
        *(f"- {line}" for line in rejections_text(result, configuration.dead_letters.path)),
        "",
        "## What was found",
        "",
        "```",
        audit_text(result, configuration.system.name),
        "```",
        "",
        "## Comparisons beyond tolerance",
        "",
        *_beyond(store, result),
    ]
    return "\n".join(lines) + "\n"


def _beyond(store: Store, result: AuditResult) -> Iterator[str]:
    yield "| window | slice | series | what | notes |"
    yield "|---|---|---|---|---|"
    for stored in store.findings(result.job_id, verdict=Verdict.BEYOND):
        key, finding = stored.key, stored.finding
        window = time_text(key.start_us) if key.has_times else f"number {key.ordinal}"
        cells = (window, key.slice, finding.series, finding.sentence, "; ".join(finding.notes))
        yield f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """Return text from the log as the cell of a Markdown table, in which no HTML is live."""
    return html.escape(text, quote=False).replace("|", _BAR)
