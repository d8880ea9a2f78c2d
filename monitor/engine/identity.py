"""Ids that are hashes of their inputs: the same step done twice has the same name."""

import hashlib
from collections.abc import Sequence
from typing import Any

from baselines.summary import Window
from detectors.base import Detector
from monitor.config.model import Configuration
from monitor.engine.reading import TimeRange
from monitor.engine.work import Work
from monitor.incidents.records import canonical_json, to_record
from monitor.sources.base import Unit

__all__ = ["audit_id", "configuration_digest", "detector_digest", "finding_id"]


def audit_id(baseline_id: str, work: Work, units: Sequence[Unit]) -> str:
    """Return the id of an audit: what is counted, how, and against which baseline.

    A file that has changed gives other units and so another audit; a change of detectors or
    of the number of workers does not, because the counts stay what they are.
    """
    time: TimeRange = work.reading.time
    return _sha256(
        {
            "baseline": baseline_id,
            "schema": [repr(column) for column in work.reading.schema],
            "source": repr(work.reading.source),
            "windows": repr(work.partition.windows),
            "slices": work.partition.by,
            "from_us": time.from_us,
            "to_us": time.to_us,
            "units": [unit.id for unit in units],
        }
    )


def configuration_digest(configuration: Configuration) -> str:
    """Return a hash of the configuration's file."""
    return hashlib.sha256(configuration.path.read_bytes()).hexdigest()


def detector_digest(detector: Detector, name: str | None = None) -> str:
    """Return a hash of a detector and its options, and of the name of its entry if it has one."""
    options: Any = detector  # every registered detector is a dataclass
    content = {"detector": detector.name, "options": to_record(options)}
    return _sha256(content if name is None else content | {"name": name})


def finding_id(baseline_id: str, window: Window, detector_options: str) -> str:
    """Return the id of a finding: baseline, window and options, all by their bytes.

    Parameters
    ----------
    baseline_id
        The baseline's id.
    window
        The window; its key and its counts go in.
    detector_options
        What `detector_digest` returned.
    """
    key = window.key
    return _sha256(
        {
            "baseline": baseline_id,
            "window": [key.start_us, key.end_us, key.slice, key.ordinal, window.complete],
            "counts": window.summary.digest,
            "detector": detector_options,
        }
    )


def _sha256(content: object) -> str:
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()
