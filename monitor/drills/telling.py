"""Drills in words: what to type next, what was reached in what time, what would have been told."""

import json
import shlex
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from monitor.drills.measuring import Reached, milestones
from monitor.drills.planting import Drill
from monitor.drills.playing import Played
from monitor.drills.responding import Response
from monitor.incidents.drafts.draft import text_to_send
from monitor.incidents.model import Incident
from monitor.incidents.postmortem.metrics import length_text
from monitor.incidents.timeline import RecordedEntry
from monitor.printing import time_text

__all__ = [
    "BANNER",
    "briefing",
    "commands_to_type",
    "milestones_record",
    "played_record",
    "played_text",
    "report_record",
    "report_text",
    "response_record",
    "steps_text",
    "times_text",
    "told_instead",
]

BANNER: Final = "DRILL: everything here is made up, and nothing of it leaves this machine."
_WIDTH: Final = 99


def briefing(drill: Drill, incident: Incident) -> str:
    """Return what people who practise read first: what happens, and what to type."""
    lines = [BANNER, "", *_wrapped(drill.made.story), ""]
    lines += [
        f"Incident {incident.number} is open: {incident.tier.value} suggested, could be "
        f"{incident.highest.value}.",
        *_wrapped(f"{incident.title}.", indent=2),
        "",
        "The clock runs. Type these in turn, with your own names and words.",
    ]
    lines += [f"  {line}" for line in commands_to_type(drill, incident)]
    return "\n".join(lines)


def commands_to_type(drill: Drill, incident: Incident) -> tuple[str, ...]:
    """Return the commands of a response in order; words in capitals are to be filled in."""
    path = shlex.quote(str(drill.place.configuration_path))
    where = f"{path} {incident.number}"
    folder = f"--directory {shlex.quote(str(drill.place.folder))}"
    lead = "--by Ada --role commander"
    counsel = "--by Lea --role legal"
    second = "--second Kim --second-role communications"
    acts = (
        f"show {where}",
        f'ack {where} --by Robin --role on_call --reason "I am looking"',
        f"assign {where} --to Ada --as commander --by Robin --role on_call",
        f"confirm {where} --tier {incident.tier.value} {lead} --reason TEXT",
    )
    return (
        *(f"outputwatch incident {act}" for act in acts),
        f"outputwatch comms clocks {where}",
        f"outputwatch comms decide-clock {where} gdpr_33 --does-not-apply {counsel} --reason TEXT",
        f"outputwatch rollback prepare {path} DRILL --incident {incident.number} {lead} "
        "--reason TEXT",
        f"outputwatch rollback approve {path} ROLLBACK --hash HASH --by Bo --role ml_lead",
        f"outputwatch rollback run {path} ROLLBACK {lead}",
        f"outputwatch drill continue {folder}",
        f"outputwatch comms draft {where} affected",
        f"outputwatch comms state {where} purpose TEXT {lead}",
        f"outputwatch comms approve {where} affected {counsel} {second}",
        f"outputwatch incident monitor {where} {lead} --reason TEXT",
        f"outputwatch drill continue {folder}",
        f"outputwatch incident resolve {where} {lead} --reason TEXT",
        f"outputwatch postmortem draft {where}",
        f"outputwatch drill report {folder}",
    )


def report_text(drill: Drill, incident: Incident, timeline: Iterable[RecordedEntry]) -> str:
    """Return what was reached in what time, and what would have been told to whom."""
    state = drill.place.state()
    lines = [BANNER, "", f"{drill.made.title}: {incident.tier.value}, {incident.state.value}"]
    if state.simulated:
        lines.append("Played by a script, in a time of its own; the persons are made up.")
    lines += ["", *times_text(milestones(incident, timeline)), "", *_told(drill)]
    return "\n".join(lines)


def played_text(played: Played) -> str:
    """Return a scripted drill: every step, every text, the times."""
    drill = played.drill
    lines = [BANNER, "A script responds; the persons are made up.", ""]
    lines += [*_wrapped(drill.made.story), "", *steps_text(played.response)]
    for subject, draft in played.response.drafts.items():
        lines += ["", f"TO {subject.upper()}, approved, version {draft.version}", ""]
        lines += [
            part
            for line in text_to_send(draft.text).rstrip().splitlines()
            for part in (_wrapped(line) or [""])
        ]
    lines += ["", "HOW LONG IT TOOK", *times_text(milestones(played.incident, played.timeline))]
    lacks = ", ".join(played.response.missing) or "nothing"
    lines += ["", f"The post-mortem is drafted; it lacks {lacks}.", "", *_told(drill)]
    where = shlex.quote(str(drill.place.configuration_path))
    lines += ["", "GO ON WITH", f"  outputwatch incident show {where} {played.incident.number}"]
    lines.append(f"  outputwatch postmortem draft {where} {played.incident.number}")
    return "\n".join(lines)


def steps_text(response: Response) -> Iterator[str]:
    """Yield each step on a line or more: when, who, what."""
    for step in response.steps:
        head = f"{time_text(step.at_us)[11:16]} {step.who.removesuffix(' (made up)'):<10} "
        first, *rest = step.what.splitlines()
        yield from textwrap.wrap(
            head + first, _WIDTH, subsequent_indent=" " * 17, break_on_hyphens=False
        )
        yield from (f"{' ' * 17}{line}" for line in rest)


def report_record(
    drill: Drill, incident: Incident, timeline: Iterable[RecordedEntry]
) -> dict[str, Any]:
    """Return the same as `report_text`, JSON-ready."""
    state = drill.place.state()
    return {
        "drill": True,
        "scenario": drill.made.name,
        "simulated": state.simulated,
        "incident": incident.id,
        "number": incident.number,
        "state": incident.state.value,
        "tier": incident.tier.value,
        "milestones": milestones_record(milestones(incident, timeline)),
        "told_instead": told_instead(drill.place.notices),
    }


def milestones_record(reached: Iterable[Reached]) -> list[dict[str, Any]]:
    """Return milestones JSON-ready, times in seconds."""
    return [
        {
            "milestone": each.milestone.value,
            "at": None if each.at_us is None else time_text(each.at_us),
            "seconds": None if each.took_us is None else each.took_us / 1_000_000,
            "target_seconds": None if each.target_us is None else each.target_us / 1_000_000,
            "standing": each.standing.value,
        }
        for each in reached
    ]


def played_record(played: Played) -> dict[str, Any]:
    """Return a scripted drill, JSON-ready."""
    report = report_record(played.drill, played.incident, played.timeline)
    return {**report, **response_record(played.response)}


def response_record(response: Response) -> dict[str, Any]:
    """Return what a scripted responder did and wrote, JSON-ready."""
    return {
        "scripted": True,
        "steps": [
            {
                "at": time_text(step.at_us),
                "who": step.who,
                "what": step.what,
                "refused": step.refused,
            }
            for step in response.steps
        ],
        "drafts": {
            subject: {
                "version": draft.version,
                "hash": draft.hash,
                "unknown": list(draft.unknown),
                "text": draft.text,
            }
            for subject, draft in response.drafts.items()
        },
        "post_mortem": response.post_mortem,
        "missing": list(response.missing),
    }


def told_instead(notices: Path) -> dict[str, list[str]]:
    """Return the subjects of what was recorded in the place of telling it, by channel."""
    told: dict[str, list[str]] = {}
    if not notices.exists():
        return told
    for line in notices.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        stands_for = f" ({record['stands_for']})" if record["stands_for"] else ""
        told.setdefault(f"{record['channel']}{stands_for}", []).append(record["subject"])
    return told


def times_text(reached: Iterable[Reached]) -> Iterator[str]:
    """Yield each milestone on a line: how long it took, its target, how it stands."""
    for each in reached:
        took = "" if each.took_us is None else length_text(each.took_us)
        target = "" if each.target_us is None else f"target {length_text(each.target_us)}"
        yield f"  {each.milestone.value:<22}{took:<15}{target:<21}{each.standing.value}".rstrip()


def _told(drill: Drill) -> Iterator[str]:
    yield "NOBODY OUTSIDE WAS TOLD. In the place of it was written down:"
    told = told_instead(drill.place.notices)
    for channel, subjects in told.items():
        yield f"  {channel}: {len(subjects)}, the first of them:"
        yield from _wrapped(subjects[0], indent=4)
    if not told:
        yield "  nothing"


def _wrapped(text: str, *, indent: int = 0) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(
        text, _WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False
    )
