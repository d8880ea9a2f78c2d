"""``outputwatch silence list``: what is not told, who answers for it, and until when."""

import argparse

from monitor.printing import say, time_text, write_json, write_table

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "list"
HELP = "list silences, with --all also those that have ended"
_HEADINGS = ("id", "state", "owner", "from", "until", "series", "slice", "mode", "reason")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument("--all", action="store_true", help="also those that have ended")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Write one row for each silence."""
    from monitor.clock import SystemClock
    from monitor.config.load import load_configuration
    from monitor.engine.incident_desk import monitor_name
    from monitor.incidents.records import to_record
    from monitor.storage.store import Store

    configuration = load_configuration(arguments.configuration)
    now_us = SystemClock().now_us()
    with Store.open(configuration.storage.url, must_exist=True) as store:
        silences = store.incidents(monitor_name(configuration)).silences().all()
    listed = [
        (each, "on" if each.is_on(now_us) else "to come" if each.is_to_come(now_us) else "ended")
        for each in silences
    ]
    listed = [(each, state) for each, state in listed if arguments.all or state != "ended"]
    if arguments.json:
        write_json([{**to_record(each), "state": state} for each, state in listed])
    elif not listed:
        say("no silences")
    else:
        rows = [
            (
                each.id[:12],
                state,
                f"{each.owner} ({each.role})",
                time_text(each.from_us),
                time_text(each.until_us),
                each.series,
                each.slice,
                each.failure_mode.value if each.failure_mode else "any",
                each.reason,
            )
            for each, state in listed
        ]
        write_table(_HEADINGS, rows)
    return 0
