"""``outputwatch comms clocks``: which reporting duties there are, and since when one might run."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.commands.comms import add_case_arguments, opened_desk
from monitor.printing import time_text, write_json, write_line

if TYPE_CHECKING:
    from monitor.incidents.regimes.clocks import RegimeScreen, RunningClock

__all__ = ["HELP", "NAME", "add_arguments", "run", "write_running"]

NAME = "clocks"
HELP = "show the questions of every reporting duty and the earliest time it might run from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident."""
    add_case_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the duties; nothing is started."""
    from monitor.clock import SystemClock
    from monitor.incidents.records import canonical_json
    from monitor.incidents.regimes.clocks import running_clocks, screen

    with opened_desk(arguments) as desk:
        case = desk.case(arguments.incident)
    shown = screen(case.timeline, SystemClock().now_us())
    running = running_clocks(case.timeline)
    if arguments.json:
        import json

        plain = {"running": running, "duties": [_record(each) for each in shown]}
        write_json(json.loads(canonical_json(plain)))
        return 0
    for each in shown:
        for line in _lines(each):
            write_line(line)
    write_running(running)
    return 0


def write_running(running: "tuple[RunningClock, ...]") -> None:
    """Write the clocks that run, the next due first."""
    if not running:
        write_line("no clock runs; counsel decides with 'comms decide-clock'")
    for each in running:
        write_line(
            f"RUNS {each.regime_id} {each.clock}: {each.what} to {each.recipient}, due "
            f"{time_text(each.due_us)}, since entry {each.trigger_seq} "
            f"({time_text(each.started_us)})"
        )


def _lines(each: "RegimeScreen") -> Iterator[str]:
    regime = each.regime
    marks = [each.decision or "not decided"]
    if not each.in_force:
        marks.append(f"not in force on this day: valid from {regime.valid_from or 'unknown'}")
    if each.stale:
        marks.append(f"STALE, reviewed on {regime.reviewed_on}: check with counsel")
    yield f"{regime.id}: {regime.title} ({'; '.join(marks)})"
    yield f"  binds {regime.binds}"
    yield from (f"  ? {question}" for question in regime.questions)
    for proposal in each.clocks:
        clock = proposal.clock
        condition = f", if {clock.condition}" if clock.condition else ""
        yield (
            f"  {clock.name}: {clock.what} within {clock.period} {clock.unit.value}"
            f"{'' if clock.unit.value in {'hours', 'months'} else ' days'} "
            f"of {clock.trigger_words}{condition}"
        )
        yield (
            f"    earliest {time_text(proposal.earliest_us)}, then due "
            f"{time_text(proposal.earliest_due_us)} {proposal.note}".rstrip()
        )
        for time in proposal.candidates:
            kind = time.kind.value.replace("_", " ")
            # A clock runs from an entry of this incident; what was merged in must become one.
            of = f" of {time.merged_from[:12]}, merged in, to be noted here" * bool(
                time.merged_from
            )
            yield f"    entry {time.seq}{of}: {kind}, {time_text(time.from_us)}, {time.by}"
    yield from (f"  uncertain: {note}" for note in regime.uncertain)
    yield ""


def _record(each: "RegimeScreen") -> dict[str, object]:
    regime = each.regime
    return {
        "id": regime.id,
        "version": regime.version,
        "title": regime.title,
        "reviewed_on": regime.reviewed_on.isoformat(),
        "stale": each.stale,
        "in_force": each.in_force,
        "decision": each.decision,
        "questions": regime.questions,
        "uncertain": regime.uncertain,
        "clocks": each.clocks,
    }
