"""Freeze what an incident began with, besides its counts: release and a sample of outputs.

It is an annex to the manifest that the incident opened with. Neither the incident nor its
findings depend on it: a monitor that cannot read its source again has the same incidents.
"""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from monitor import __version__
from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.evidence_rows import NO_VALUE, RereadRows, first_windows, reread
from monitor.engine.identity import configuration_digest
from monitor.engine.log_sources import audited_source, is_only_followed
from monitor.incidents.model import Incident
from monitor.incidents.observations import SignalKind
from monitor.incidents.records import Record, canonical_json
from monitor.incidents.sampling import SampledStratum
from monitor.incidents.timeline import EntryKind, RecordedEntry, TimelineEntry
from monitor.incidents.vault import KEY_BYTES, NONCE_BYTES, SALT_BYTES, Sealed, sealed
from monitor.sources.base import Source, SourceError
from monitor.sources.rereading import Rereadable, RereadStoppedError, Stretch
from monitor.storage.incidents import IncidentRepository
from monitor.storage.store import Store
from monitor.windows.spec import TumblingWindows

__all__ = ["freeze_outputs"]

_VERSIONS_TOLD: Final = 20


def freeze_outputs(
    incidents: Iterable[Incident],
    *,
    configuration: Configuration,
    store: Store,
    monitor: str,
    clock: Clock,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Write an annex to the evidence of every incident that lacks one; return how many.

    Rows are read outside of transactions; if another program was faster, nothing is written.

    Parameters
    ----------
    incidents
        Those to look at: only breaches with a frozen manifest get an annex.
    configuration
        What is kept, and where rows are read again.
    store, monitor
        Where the incidents are, and whose.
    clock
        Tells when it was done.
    stopped
        Asked before each incident, and while a stream is read again, whether to leave the
        rest for later.
    """
    if not configuration.evidence.wanted:
        return 0
    repository = store.incidents(monitor)
    n_written = 0
    for incident in incidents:
        if stopped():
            break
        manifest = _manifest_without_annex(repository.timeline(incident.id))
        if manifest is None or incident.kind is not SignalKind.BREACH:
            continue
        try:
            rows, reason = _rows(configuration, incident, stopped)
        except RereadStoppedError:
            break
        with store.begin():
            repository.take_turn()
            n_written += _write(
                repository, incident, configuration, clock, (manifest, rows, reason)
            )
    return n_written


def _manifest_without_annex(timeline: Iterable[RecordedEntry]) -> str | None:
    manifest = None
    for each in timeline:
        if each.entry.kind is EntryKind.EVIDENCE_SAMPLED:
            return None
        if each.entry.kind is EntryKind.EVIDENCE_FROZEN and manifest is None:
            manifest = str(each.entry.body["manifest"])
    return manifest


def _rows(
    configuration: Configuration, incident: Incident, stopped: Callable[[], bool]
) -> tuple[RereadRows | None, str]:
    """Return what the rows show, or why there are none."""
    settings = configuration.evidence
    if not settings.sample_rows and not settings.release:
        return None, "neither a sample nor versions of releases are asked for"
    if not incident.has_times:
        return None, "windows of a number of outputs have no times to read them again by"
    source = configuration.source
    if is_only_followed(source) and not isinstance(source, Rereadable):
        name = getattr(configuration.source, "name", "")
        return None, f"outputs of the source {name!r} cannot be read a second time"
    try:
        rows = reread(configuration, _source(configuration, incident, stopped), incident)
    except RereadStoppedError:
        raise
    except (SourceError, OSError) as error:
        return None, f"the source could not be read again: {error}"
    if not rows.n_rows:
        why = f" ({'; '.join(rows.incomplete)})" if rows.incomplete else ""
        return None, f"the source holds no outputs of these windows any more{why}"
    return rows, ""


def _source(
    configuration: Configuration, incident: Incident, stopped: Callable[[], bool]
) -> Source:
    """Return what the rows of an incident's first windows are read from."""
    source = configuration.source
    if not isinstance(source, Rereadable):
        return audited_source(configuration)
    windows, spans = configuration.windows, first_windows(incident)
    seconds = windows.allowed_lateness_seconds if isinstance(windows, TumblingWindows) else 0
    stretch = Stretch(
        from_us=spans[0][0],
        to_us=max(end for _, end in spans),
        lateness_us=round(seconds * 1_000_000),
    )
    return source.reread(stretch, stopped=stopped)


def _write(
    repository: IncidentRepository,
    incident: Incident,
    configuration: Configuration,
    clock: Clock,
    found: tuple[str, RereadRows | None, str],
) -> bool:
    manifest, rows, reason = found
    if _manifest_without_annex(repository.timeline(incident.id)) is None:
        return False
    body = _body(configuration, incident, rows, reason)
    body["of_manifest"] = manifest
    if rows is not None and rows.sample is not None:
        strata = rows.sample.strata()
        secret = _sealed(repository, incident, strata)
        if secret is None:
            body["not_available"] = "the key of this incident was destroyed"
        else:
            repository.vault().put(incident.id, secret)
            body["sample"] = _told(strata, secret)
    digest = hashlib.sha256(canonical_json(body).encode()).hexdigest()
    entry = TimelineEntry(
        kind=EntryKind.EVIDENCE_SAMPLED,
        occurred_us=incident.first_window.end_us,
        known_us=clock.now_us(),
        body={**body, "annex": digest},
    )
    repository.append(incident.id, [entry], recorded_us=clock.now_us())
    return True


def _body(
    configuration: Configuration, incident: Incident, rows: RereadRows | None, reason: str
) -> Record:
    settings = configuration.evidence
    observed = {} if rows is None else rows.releases
    windows = sorted({(s.first.window.start_us, s.first.window.end_us) for s in incident.signals})
    body: Record = {
        "configuration": configuration_digest(configuration),
        "outputwatch": __version__,
        "policy": incident.suggestion.policy,
        "windows": [list(window) for window in windows] if incident.has_times else [],
        "slices": sorted({signal.identity.slice for signal in incident.own_signals}),
        "observed": {part: _versions(counts) for part, counts in sorted(observed.items())},
        "declared": dict(sorted(settings.declared.items())),
        "unknown": sorted(_unknown(configuration, observed)),
        "n_rows": None if rows is None else rows.n_rows,
    }
    if rows is not None and rows.incomplete:
        body["incomplete"] = list(rows.incomplete)
    if reason:
        body["not_available"] = reason
    return body


def _versions(counts: Counter[str]) -> Record:
    """Return how many outputs had which version, the most frequent ones by name."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    told = dict(ranked[:_VERSIONS_TOLD])
    more = ranked[_VERSIONS_TOLD:]
    if more:
        told[f"({len(more)} more versions)"] = sum(number for _, number in more)
    return told


def _unknown(configuration: Configuration, observed: dict[str, Counter[str]]) -> set[str]:
    settings = configuration.evidence
    unseen = {part for part in settings.release if not set(observed.get(part, ())) - {NO_VALUE}}
    return {*settings.unknown_parts, *(unseen - set(settings.declared))}


def _sealed(
    repository: IncidentRepository, incident: Incident, strata: tuple[SampledStratum, ...]
) -> Sealed | None:
    key = repository.vault().key(incident.id, fresh=secrets.token_bytes(KEY_BYTES))
    if key is None:
        return None
    lines = [row for stratum in strata for row in stratum.kept]
    return sealed(
        "\n".join(lines),
        incident_id=incident.id,
        key=key,
        salt=secrets.token_bytes(SALT_BYTES),
        nonce=secrets.token_bytes(NONCE_BYTES),
    )


def _told(strata: tuple[SampledStratum, ...], secret: Sealed) -> Record:
    return {
        "commitment": secret.commitment,
        "n_rows": sum(len(each.kept) for each in strata),
        "choice": "smallest sha256 of incident and row, in turn over the strata",
        "strata": [
            {"stratum": each.name, "n_rows": each.n_rows, "kept": len(each.kept)}
            for each in strata
        ],
    }
