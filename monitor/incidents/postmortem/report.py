"""The post-mortem as Markdown, and what it still lacks."""

from collections.abc import Iterable, Iterator

from monitor.incidents.awareness import AwarenessKind, awareness, awareness_with_merged
from monitor.incidents.drafts.draft import DRILL_BANNER
from monitor.incidents.drafts.fields import Fields
from monitor.incidents.model import Incident
from monitor.incidents.postmortem.items import ItemKind, action_items, due_dates
from monitor.incidents.postmortem.metrics import duration_text, durations
from monitor.incidents.postmortem.sections import SECTIONS, written_sections
from monitor.incidents.regimes.clocks import running_clocks
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind, RecordedEntry
from monitor.printing import time_text

__all__ = ["missing", "post_mortem"]

_TO_FILL = "*[to be written by a person: {question}]*"
_PARTS = {
    "Severity": (
        EntryKind.OPENED,
        EntryKind.SUGGESTION_RAISED,
        EntryKind.SEVERITY_DECIDED,
        EntryKind.FACT_STATED,
        EntryKind.FACT_WITHDRAWN,
    ),
    "Actions and approvals": (
        EntryKind.CONTAINED,
        EntryKind.ACTION_TAKEN,
        EntryKind.CONFIRMED,
        EntryKind.DISMISSED,
    ),
    "Rollbacks": tuple(kind for kind in EntryKind if kind.value.startswith("rollback_")),
    "What was told": (EntryKind.DRAFT_APPROVED, EntryKind.DRAFT_SENT, EntryKind.NOTIFIED),
    "Reporting clocks": tuple(kind for kind in EntryKind if kind.value.startswith("clock_")),
}


def post_mortem(incident: Incident, timeline: Iterable[RecordedEntry], fields: Fields) -> str:
    """Return the post-mortem of an incident as Markdown.

    Parameters
    ----------
    incident, timeline
        The incident and its entries.
    fields
        What `monitor.incidents.drafts.facts.facts_of` says of it.
    """
    entries = sorted(timeline, key=lambda each: each.seq)
    return "\n".join(
        [
            f"# Post-mortem of incident {incident.number}: {incident.title}",
            "",
            *([DRILL_BANNER, ""] if incident.drill else []),
            *_header(incident, entries),
            *_exposure(fields),
            *_written(entries),
            *_parts(entries),
            *_items(entries),
            *_timeline(entries),
        ]
    )


def missing(incident: Incident, timeline: Iterable[RecordedEntry]) -> tuple[str, ...]:
    """Return what a post-mortem lacks before it is complete.

    Parameters
    ----------
    incident, timeline
        The incident and its entries.
    """
    entries = sorted(timeline, key=lambda each: each.seq)
    written = written_sections(entries)
    kinds = {each.entry.kind for each in entries}
    items = action_items(entries)
    lacks = [
        f"section {name!r}: {SECTIONS[name].question}" for name in SECTIONS if name not in written
    ]
    if EntryKind.RESOLVED not in kinds:
        lacks.append("the incident is not resolved")
    if not items:
        lacks.append("no action item, with the series that will show that it worked")
    grave = incident.tier.rank <= Tier.SEV2.rank
    if grave and all(each.kind is not ItemKind.REMEDY_PEOPLE for each in items):
        lacks.append("no action item of kind 'remedy_people', in SEV1 and SEV2")
    if grave and EntryKind.CLOCK_DECIDED not in kinds:
        lacks.append("counsel has decided on no reporting duty, in SEV1 and SEV2")
    if EntryKind.CAUSE_STATED not in kinds:
        lacks.append("nobody has stated the cause")
    if EntryKind.HARM_STATED not in kinds:
        lacks.append("nobody has stated whether harm occurred")
    lacks += [
        f"the clock {each.clock!r} of {each.regime_id!r} still runs"
        for each in running_clocks(entries)
    ]
    return tuple(lacks)


def _header(incident: Incident, entries: list[RecordedEntry]) -> Iterator[str]:
    decided = "decided" if incident.confirmed else "suggested"
    yield f"- system: {incident.system} ({incident.environment})"
    yield f"- severity: {incident.tier.value} {decided}, could be {incident.highest.value}"
    yield f"- state: {incident.state.value.replace('_', ' ')}"
    yield f"- releases at the onset: {', '.join(incident.releases) or 'none named by the events'}"
    yield from ("", "## How long it took", "")
    for each in durations(entries):
        yield f"- {each.name}: {duration_text(each)}"
    yield from ("", "## When it was known", "")
    times = {each.kind: each for each in awareness(entries)}
    for kind in AwarenessKind:
        label = kind.value.replace("_", " ")
        if kind not in times:
            yield f"- {label}: unknown yet"
            continue
        time = times[kind]
        until = f" to {time_text(time.to_us)}" if time.to_us != time.from_us else ""
        yield (
            f"- {label}: {time_text(time.from_us)}{until}, {time.by}, {time.confidence.value} "
            f"[e{time.seq}]"
        )
    for time in awareness_with_merged(entries):
        if time.merged_from:
            label = time.kind.value.replace("_", " ")
            yield (
                f"- {label}, of {time.merged_from[:12]} that was merged in: "
                f"{time_text(time.from_us)}, {time.by}, {time.confidence.value}"
            )
    yield ""


def _exposure(fields: Fields) -> Iterator[str]:
    yield from ("## What was measured", "")
    for name in ("what_happened", "effect", "slices", "worse_off", "exposed", "harm", "n_harmed"):
        field = fields[name]
        if field.is_unknown:
            yield f"- {field.label}: unknown yet"
            continue
        interval = f", {field.low} to {field.high}" if field.low else ""
        yield f"- {field.label}: {field.text or field.reason}{interval} [{', '.join(field.refs)}]"
    yield ""


def _written(entries: list[RecordedEntry]) -> Iterator[str]:
    written = written_sections(entries)
    for about_ai in (False, True):
        if about_ai:
            yield from ("## Questions that AI raises", "")
        for name, section in SECTIONS.items():
            if section.about_ai is not about_ai:
                continue
            yield from (f"{'###' if about_ai else '##'} {section.title}", "")
            if name in written:
                yield f"{written[name].text} [e{written[name].seq}, {written[name].by}]"
            else:
                yield _TO_FILL.format(question=section.question)
            yield ""


def _parts(entries: list[RecordedEntry]) -> Iterator[str]:
    for title, kinds in _PARTS.items():
        told = [each for each in entries if each.entry.kind in kinds]
        yield from (f"## {title}", "")
        yield from (_line(each) for each in told)
        yield from (["- nothing is recorded"] if not told else [])
        yield ""


def _items(entries: list[RecordedEntry]) -> Iterator[str]:
    yield from ("## Action items", "")
    for item in action_items(entries):
        done = f"done {time_text(item.done_us)}" if item.done_us else "open"
        yield (
            f"- {item.number}. {item.text} ({item.kind.value}; {item.owner}, due "
            f"{time_text(item.due_us)}; {done}; shown by `{item.series}`) [e{item.seq}]"
        )
    if not action_items(entries):
        yield _TO_FILL.format(question="owner, due date, kind and the series that will show it")
    yield from ("", "## Due", "")
    yield from (
        f"- {time_text(each.due_us)}: {each.what} ({each.who})" for each in due_dates(entries)
    )
    yield ""


def _timeline(entries: list[RecordedEntry]) -> Iterator[str]:
    yield from ("## Timeline", "")
    yield from (_line(each) for each in entries)


def _line(recorded: RecordedEntry) -> str:
    entry = recorded.entry
    words = entry.body.get("text") or entry.body.get("title") or entry.body.get("sentence") or ""
    reason = f" ({entry.body['reason']})" if entry.body.get("reason") else ""
    about = next(
        (entry.body[key] for key in ("subject", "regime", "decided") if key in entry.body), ""
    )
    text = " ".join(f"{about} {words}{reason}".split())
    kind = entry.kind.value.replace("_", " ")
    return f"- e{recorded.seq} {time_text(entry.known_us)} {entry.actor}: {kind} {text}".rstrip()
