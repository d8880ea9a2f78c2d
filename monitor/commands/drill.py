"""``outputwatch drill``: practise an incident; nothing of it leaves this machine."""

import argparse
from pathlib import Path

from monitor.printing import say, write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "drill"
HELP = "practise an incident with made-up outputs, from the alarm to the post-mortem"

_INCIDENTS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is played, against whose people, and where."""
    parser.add_argument(
        "scenario",
        metavar="SCENARIO",
        help="a scenario or a YAML file of one; or list, continue or report",
    )
    parser.add_argument(
        "configuration",
        metavar="CONFIG",
        nargs="?",
        type=Path,
        help="a YAML file whose people and channels are practised with; nothing is sent on them",
    )
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path("drill"),
        metavar="FOLDER",
        help="where the drill and its database are kept (default: %(default)s)",
    )
    parser.add_argument(
        "--scripted",
        action="store_true",
        help="let a script respond, with made-up persons and in a time of its own",
    )
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Begin a drill, go on with it, or tell what was reached."""
    match arguments.scenario:
        case "list":
            return _list(arguments)
        case "continue":
            return _continue(arguments)
        case "report":
            return _report(arguments)
    return _play(arguments) if arguments.scripted else _begin(arguments)


def _list(arguments: argparse.Namespace) -> int:
    from monitor.drills.scenario import shipped

    scenarios = [
        {"name": name, "failure_mode": each.failure_mode.value, "title": each.title}
        for name, each in shipped().items()
    ]
    if arguments.json:
        write_json(scenarios)
        return 0
    for each in scenarios:
        write_line(f"{each['name']:<22}{each['failure_mode']:<13}{each['title']}")
    return 0


def _begin(arguments: argparse.Namespace) -> int:
    from monitor.clock import SystemClock
    from monitor.drills.planting import Drill
    from monitor.drills.telling import briefing, commands_to_type, report_record
    from monitor.storage.store import Store

    say("planting a breach and watching it: some seconds")
    drill = Drill.begun(
        arguments.scenario,
        arguments.directory,
        clock=SystemClock(),
        against=arguments.configuration,
    )
    with Store.open(drill.configuration.storage.url, must_exist=True) as store:
        incident = drill.incident(store)
        timeline = store.incidents().timeline(incident.id)
    if arguments.json:
        commands = list(commands_to_type(drill, incident))
        write_json({**report_record(drill, incident, timeline), "commands": commands})
    else:
        write_line(briefing(drill, incident))
    return _INCIDENTS


def _play(arguments: argparse.Namespace) -> int:
    from monitor.drills.playing import play
    from monitor.drills.telling import played_record, played_text

    say("planting a breach, and a script responds to it: some seconds")
    played = play(arguments.scenario, arguments.directory, against=arguments.configuration)
    if arguments.json:
        write_json(played_record(played))
    else:
        write_line(played_text(played))
    return _INCIDENTS


def _continue(arguments: argparse.Namespace) -> int:
    from monitor.clock import SystemClock
    from monitor.drills.planting import Drill
    from monitor.drills.telling import report_record
    from monitor.storage.store import Store

    drill = Drill.opened(arguments.directory, SystemClock())
    minutes = drill.go_on()
    with Store.open(drill.configuration.storage.url, must_exist=True) as store:
        incident = drill.incident(store)
        timeline = store.incidents().timeline(incident.id)
    proposed = incident.resolution_proposed is not None
    if arguments.json:
        report = report_record(drill, incident, timeline)
        write_json({**report, "minutes_added": minutes, "resolution_proposed": proposed})
        return 0
    served = drill.place.served(drill.made)
    write_line(f"DRILL: {minutes} more minutes of outputs; {served!r} is served now")
    if proposed:
        write_line("every series is back within tolerance: a person may resolve the incident")
    elif served == drill.made.switch.before:
        write_line("not back yet: about eight whole minutes after the rollback are needed")
    else:
        write_line("the breach goes on: nobody has rolled it back")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from monitor.clock import SystemClock
    from monitor.drills.planting import Drill
    from monitor.drills.telling import report_record, report_text
    from monitor.storage.store import Store

    drill = Drill.opened(arguments.directory, SystemClock())
    with Store.open(drill.configuration.storage.url, must_exist=True) as store:
        drill.record(store)
        incident = drill.incident(store)
        timeline = store.incidents().timeline(incident.id)
    if arguments.json:
        write_json(report_record(drill, incident, timeline))
    else:
        write_line(report_text(drill, incident, timeline))
    return 0
