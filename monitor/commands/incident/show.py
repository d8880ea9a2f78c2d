"""``outputwatch incident show``: one incident on one screen."""

import argparse
import dataclasses
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from monitor.commands.incident import (
    ROLES,
    add_database_arguments,
    opened_database,
    response_desk,
)
from monitor.printing import time_text, write_json, write_line, write_table

if TYPE_CHECKING:
    from monitor.incidents.decision_rights import DecisionRight
    from monitor.incidents.roles import Role
    from monitor.incidents.summary import IncidentSummary, SignalLine, TimelineLine
    from monitor.rollbacks.execution import Execution

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "show"
HELP = "show what changed, how bad it is, what to do first and who decides"
_LABEL = 16
_SIGNAL_HEADINGS = ("series", "slice", "tier", "times tolerance", "windows", "since", "state")
_TIMELINE_HEADINGS = ("no.", "occurred", "known", "by", "what", "text")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database and the incident."""
    add_database_arguments(parser)
    parser.add_argument("incident", metavar="ID", help="an id, its beginning, or a number")
    parser.add_argument(
        "--by", metavar="NAME", help="who looks; written into the timeline as evidence opened"
    )
    parser.add_argument(
        "--role", metavar="ROLE", choices=ROLES, help="with --by: in which role they look"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write one incident."""
    from monitor.incidents.summary import summarize
    from monitor.incidents.timeline import broken_links
    from monitor.rollbacks.wording import rollback_record

    _record_looking(arguments)
    with opened_database(arguments) as (store, monitor):
        repository = store.incidents(monitor)
        incident = repository.find(arguments.incident)
        timeline = repository.timeline(incident.id)
        rollbacks = store.rollbacks().executions(incident_id=incident.id)
    summary = summarize(
        incident, timeline, broken_links(timeline), required_roles=_required_roles(arguments)
    )
    if arguments.json:
        told = [rollback_record(each) for each in rollbacks]
        write_json({**dataclasses.asdict(summary), "rollbacks": told})
        return 0
    for line in _page(summary):
        write_line(line)
    _write_signals("SIGNALS", summary.signals)
    _write_signals("EXPLAINED BY BROKEN INPUT", summary.inhibited)
    _write_rollbacks(rollbacks)
    _write_timeline(summary.timeline)
    return 0


def _required_roles(arguments: argparse.Namespace) -> "tuple[Role, ...]":
    """Return what the move to resolved asks for: of the configuration, if one is named."""
    from monitor.incidents.roles import REQUIRED_ROLES

    if arguments.configuration is None:
        return REQUIRED_ROLES
    from monitor.config.load import load_configuration

    return load_configuration(arguments.configuration).people.required_roles


def _record_looking(arguments: argparse.Namespace) -> None:
    """Write down who looks at the evidence; whoever only polls is nobody."""
    from monitor.clock import SystemClock
    from monitor.errors import OutputwatchError
    from monitor.incidents.acts.base import Occasion
    from monitor.incidents.acts.recording import OpenEvidence, has_seen_all
    from monitor.incidents.roles import Person, Role

    if (arguments.by is None) != (arguments.role is None):
        message = "--by and --role are given together or not at all"
        raise OutputwatchError(message)
    if arguments.by is None:
        return
    by = Person(name=arguments.by, role=Role(arguments.role))
    with response_desk(arguments, arguments.incident) as desk:
        incident = desk.incidents.find(arguments.incident)
        if not has_seen_all(desk.incidents.timeline(incident.id), by.name):
            on = Occasion(by=by, now_us=SystemClock().now_us())
            desk.act(incident.id, OpenEvidence(), on)


def _page(summary: "IncidentSummary") -> Iterator[str]:
    if summary.drill:
        yield "DRILL: this is practice, and nothing of it leaves the building"
    yield from _wrapped(f"#{summary.number}  {summary.title}")
    # What was measured comes before what is suggested: people look first.
    decided = f"{summary.confirmed} confirmed" if summary.confirmed else "severity not decided"
    yield (
        f"{decided} | {summary.failure_mode} | {summary.state} | "
        f"{summary.system} ({summary.environment}) | {summary.id[:12]}"
    )
    if summary.broken_links:
        numbers = ", ".join(map(str, summary.broken_links))
        yield f"WARNING: the timeline was changed behind the program's back at entry {numbers}"
    yield ""
    yield from _field("what changed", [summary.what])
    yield from _field("by how much", [summary.how_much])
    yield from _field("since", _since(summary))
    yield from _field("who", summary.who)
    yield from _field("how sure", [summary.how_sure, *summary.notes])
    yield from _field("severity", [_severity(summary)])
    axes = dataclasses.asdict(summary.axes)
    by_axis = ", ".join(f"{name} {points}" for name, points in axes.items())
    yield from _field(
        "why this tier",
        [f"score {summary.score} of 15: {by_axis} ({summary.policy})", *summary.reasons],
    )
    yield from _field("unknown yet", summary.unknowns or ("nothing that the score needs",))
    yield from _field("do first", summary.do_first)
    yield from _field("who decides", map(_decides, summary.decides))
    if summary.unfilled:
        yield from _field("nobody yet", [f"{', '.join(summary.unfilled)}; see 'incident assign'"])


def _severity(summary: "IncidentSummary") -> str:
    said = f"{summary.suggested} suggested"
    if summary.confirmed:
        said = f"{summary.confirmed} confirmed, {said}"
    if summary.could_be < (summary.confirmed or summary.suggested):  # SEV1 is the worst
        said += f", could be as high as {summary.could_be}"
    return said


def _decides(right: "DecisionRight") -> str:
    second = "" if right.second == "none" else f"; second person: {right.second}"
    consulted = f"; asks {', '.join(right.consulted)}" if right.consulted else ""
    return f"{right.decision}: {right.decides}{second}{consulted} (monitor: {right.monitor})"


def _since(summary: "IncidentSummary") -> Iterator[str]:
    if summary.onset_us is None:
        yield "unknown, the events have no times"
    else:
        yield (
            f"{time_text(summary.onset_us)} (estimated), latest breach until "
            f"{time_text(summary.last_us)}"
        )
    if summary.releases:
        yield f"new releases then: {', '.join(summary.releases)}"
    if summary.resolution_proposed:
        back = summary.resolution_proposed_us
        by = "" if back is None else f" by {time_text(back)}"
        yield f"back within tolerance{by}: resolution is proposed, a person decides"
    if summary.recurrence_of is not None:
        yield f"a recurrence of incident {summary.recurrence_of[:12]}"


def _moment(us: int | None) -> str:
    return "unknown" if us is None else time_text(us)


def _field(label: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        head = f"{label:<{_LABEL}}" if number == 0 else " " * _LABEL
        yield from _wrapped(f"{head}{line}", hang=_LABEL + 2)


def _wrapped(text: str, hang: int = 0) -> list[str]:
    width = max(60, shutil.get_terminal_size((100, 40)).columns)
    return textwrap.wrap(
        text, width, subsequent_indent=" " * hang, drop_whitespace=True, break_long_words=False
    )


def _write_signals(heading: str, signals: "tuple[SignalLine, ...]") -> None:
    if not signals:
        return
    write_line(f"\n{heading}")
    write_table(
        _SIGNAL_HEADINGS,
        [
            (
                signal.series,
                signal.slice,
                signal.tier,
                signal.times_tolerance,
                str(signal.n_windows),
                _moment(signal.first_us),
                signal.state,
            )
            for signal in signals
        ],
    )


def _write_rollbacks(rollbacks: "tuple[Execution, ...]") -> None:
    from monitor.rollbacks.wording import state_words

    if not rollbacks:
        return
    write_line("\nROLLBACKS")
    rows = [
        (each.id[:12], each.plan, f"to {each.dry_run.to}", state_words(each)) for each in rollbacks
    ]
    write_table(("id", "plan", "change", "state"), rows)


def _write_timeline(timeline: "tuple[TimelineLine, ...]") -> None:
    write_line("\nTIMELINE")
    write_table(
        _TIMELINE_HEADINGS,
        [
            (
                str(line.seq),
                _moment(line.occurred_us),
                time_text(line.known_us),
                line.actor,
                line.kind,
                _struck(line),
            )
            for line in timeline
        ],
    )


def _struck(line: "TimelineLine") -> str:
    """Return the text of an entry, struck through in the way of Markdown if it was corrected."""
    if line.corrected_by is None:
        return line.text
    return f"~~{line.text or line.kind}~~ corrected by entry {line.corrected_by}"
