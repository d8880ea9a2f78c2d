"""Ids that are hashes of their inputs: the same step done twice has the same name."""

import hashlib
from collections.abc import Mapping, Sequence
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


def detector_digest(
    detector: Detector,
    name: str | None = None,
    *,
    decision: Mapping[str, object] | None = None,
) -> str:
    """Return a hash of what decides a finding besides baseline and window.

    Parameters
    ----------
    detector
        With its options.
    name
        Of its entry, if it has one.
    decision
        The settings that its verdict rests on; None: the detector's own interval.
    """
    options: Any = detector  # every registered detector is a dataclass
    content: dict[str, object] = {"detector": detector.name, "options": to_record(options)}
    if name is not None:
        content["name"] = name
    if decision is not None:
        content["decision"] = dict(decision)
    return _sha256(content)


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
