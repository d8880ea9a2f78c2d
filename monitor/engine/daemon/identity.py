"""What makes two runs the same monitor: how they count, and how they decide."""

import hashlib
from typing import Any

from baselines.baseline import Baseline
from monitor.config.decision import DecisionRuleKind
from monitor.config.model import Configuration
from monitor.engine.identity import detector_digest
from monitor.engine.incident_desk import monitor_name
from monitor.incidents.records import canonical_json, to_record
from monitor.severity.scoring import FiveAxes
from monitor.storage.streams import MonitorRow
from monitor.windows.spec import TumblingWindows

__all__ = ["counting_of", "monitor_row", "policy_digest", "stream_job_id"]


def counting_of(configuration: Configuration, windows: TumblingWindows) -> dict[str, Any]:
    """Return how events are cut, as a JSON object; the lateness allowed is no part of it."""
    return {
        "seconds": windows.seconds,
        "offset_seconds": windows.offset_seconds,
        "by": [list(columns) for columns in configuration.slices.by],
        "max_values": configuration.slices.max_values,
    }


def stream_job_id(
    configuration: Configuration, baseline: Baseline, windows: TumblingWindows
) -> str:
    """Return the id under which a running monitor keeps its windows and findings."""
    return _sha256(
        {
            "stream": monitor_name(configuration),
            "baseline": baseline.id,
            "schema": [repr(column) for column in configuration.schema],
            "counting": counting_of(configuration, windows),
        }
    )


def policy_digest(configuration: Configuration) -> str:
    """Return a hash of everything that verdicts and incidents rest on besides the baseline."""
    decision = configuration.decision
    entries = [
        {
            "digest": detector_digest(entry.detector, entry.name),
            "for_windows": entry.for_windows,
            "rule": str(entry.rule),
            "weight": entry.weight if entry.rule is DecisionRuleKind.EVIDENCE else None,
            "critical": entry.critical,
        }
        for entry in configuration.detectors
    ]
    severity = configuration.severity
    # Monitors that began before there was another policy keep their digest.
    own = {} if severity == FiveAxes() else {"severity": severity.rules.digest}
    return _sha256(
        {
            **own,
            "detectors": entries,
            "decision": to_record(decision),
            "incidents": to_record(configuration.incidents),
            "min_slice_rows": configuration.baseline.min_slice_rows,
        }
    )


def monitor_row(
    configuration: Configuration, baseline: Baseline, windows: TumblingWindows
) -> MonitorRow:
    """Return the row of a monitor that begins now."""
    return MonitorRow(
        job_id=stream_job_id(configuration, baseline, windows),
        baseline_id=baseline.id,
        policy_digest=policy_digest(configuration),
        counting=counting_of(configuration, windows),
    )


def _sha256(content: object) -> str:
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()
