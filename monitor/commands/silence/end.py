"""``outputwatch silence end``: tell again, before the time."""

import argparse

from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "end"
HELP = "end a silence before its time"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration, the silence and the person."""
    from monitor.commands.incident import add_person_arguments

    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument("silence", metavar="ID", help="an id, or its beginning")
    add_person_arguments(parser)
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """End it and write that it has ended."""
    from monitor.clock import SystemClock
    from monitor.config.load import load_configuration
    from monitor.engine.incident_desk import monitor_name
    from monitor.incidents.roles import Person, Role
    from monitor.incidents.silences import ended
    from monitor.storage.store import Store

    configuration = load_configuration(arguments.configuration)
    by = Person(name=arguments.by, role=Role(arguments.role))
    with Store.open(configuration.storage.url, must_exist=True) as store:
        silences = store.incidents(monitor_name(configuration)).silences()
        silence = silences.find(arguments.silence)
        changed = ended(silence, by, SystemClock().now_us(), configuration.people)
        silences.save(changed)
    if arguments.json:
        write_json({"id": changed.id, "ended_by": changed.ended_by})
    else:
        write_line(f"{changed.id[:12]} has ended")
    return 0
