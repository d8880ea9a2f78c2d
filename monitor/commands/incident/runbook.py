"""``outputwatch incident runbook``: what to do in this incident, by whom, and what to type."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands.incident import add_database_arguments, opened_database
from monitor.printing import write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.incidents.model import Incident
    from monitor.incidents.runbooks.model import Runbook

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "runbook"
HELP = "show who does what in an incident of this kind, with the commands, and what not to do"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database, the incident and runbooks of one's own."""
    add_database_arguments(parser)
    parser.add_argument("incident", metavar="ID", help="an id, its beginning, or a number")
    parser.add_argument(
        "--runbooks", metavar="FOLDER", type=Path, help="runbooks in the place of ours"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the runbook with this incident put in."""
    from monitor.incidents.records import to_record
    from monitor.incidents.runbooks.library import runbooks_in

    with opened_database(arguments) as (store, monitor):
        incident = store.incidents(monitor).find(arguments.incident)
    runbook = runbooks_in(arguments.runbooks)[incident.failure_mode]
    if arguments.json:
        write_json({"incident": incident.id, **to_record(runbook)})
        return 0
    for line in _page(runbook, incident, str(arguments.configuration or "CONFIG")):
        write_line(line)
    return 0


def _page(runbook: "Runbook", incident: "Incident", configuration: str) -> "Iterator[str]":
    yield f"#{incident.number} {incident.title}"
    yield f"{runbook.failure_mode.value}: {runbook.title}"
    for number, step in enumerate(runbook.steps, start=1):
        within = f"within {step.within_minutes} minutes of the alarm"
        role = step.who.value.replace("_", " ")
        yield ""
        yield f"{number}. {step.do}"
        yield f"   {_who(role, incident.holder(step.who))}, {within}"
        if step.why:
            yield f"   why: {step.why}"
        for command in step.commands:
            yield f"   outputwatch {_filled(command, configuration, incident)}"
    yield ""
    yield from (f"do not: {each.removeprefix('do not ')}" for each in runbook.do_not)


def _who(role: str, holder: str | None) -> str:
    return f"{role}, {holder}" if holder is not None else f"{role}, nobody is named yet"


def _filled(command: str, configuration: str, incident: "Incident") -> str:
    words = {"CONFIG": configuration, "ID": str(incident.number)}
    return " ".join(words.get(word, word) for word in command.split(" "))
