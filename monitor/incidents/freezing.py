"""The evidence that an incident began with, frozen by its hash."""

import hashlib
from collections.abc import Sequence

from monitor.incidents.breaches import Breach
from monitor.incidents.records import Record, canonical_json, to_record

__all__ = ["manifest"]


def manifest(cluster: Sequence[Breach], releases: Sequence[str]) -> Record:
    """Return what an incident rests on when it opens, and the sha256 of it.

    There is no clock in it, so that a stream and an audit of the same events freeze the same.
    The id of a finding is a hash over the counts of baseline and window and the options of
    the detector: it names the numbers without repeating them.

    Parameters
    ----------
    cluster
        The breaches that open the incident.
    releases
        The releases that were new in their windows.
    """
    content: Record = {
        "signals": [_frozen(breach) for breach in cluster],
        "releases": list(releases),
    }
    digest = hashlib.sha256(canonical_json(content).encode()).hexdigest()
    return {**content, "manifest": digest}


def _frozen(breach: Breach) -> Record:
    observation, identity = breach.observation, breach.identity
    return {
        "series": identity.series,
        "slice": identity.slice,
        "detector": breach.detector,
        "finding": observation.finding_id,
        "baseline": identity.baseline_id,
        "window": to_record(observation.window),
        "tolerance": observation.tolerance,
        "n_rows": observation.n_rows,
        "groups": [to_record(group) for group in observation.groups],
        "policy": breach.suggestion.policy,
        "release": breach.release,
    }
