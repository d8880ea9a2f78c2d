"""``outputwatch incident verify``: whether anybody changed what was written down."""

import argparse
from pathlib import Path

from monitor.commands.incident import add_database_arguments, opened_database
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "verify"
HELP = "check that no timeline was changed, with --anchor also rewritten or cut"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database and the anchors."""
    add_database_arguments(parser)
    parser.add_argument(
        "--anchor", metavar="FILE", help="head hashes that 'incident anchor' wrote elsewhere"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write what is wrong; the exit status is 1 if anything is."""
    from monitor.incidents.anchors import read_anchors, violations

    anchors = read_anchors(Path(arguments.anchor)) if arguments.anchor else ()
    with opened_database(arguments) as (store, monitor):
        repository = store.incidents(monitor)
        timelines = {each.id: repository.timeline(each.id) for each in repository.all()}
    wrong = violations(timelines, anchors)
    n_entries = sum(map(len, timelines.values()))
    if arguments.json:
        write_json(
            {
                "incidents": len(timelines),
                "entries": n_entries,
                "anchors": len(anchors),
                "violations": list(wrong),
            }
        )
    else:
        for line in wrong:
            write_line(line)
        against = f" against {len(anchors)} anchors" if anchors else ""
        write_line(
            f"{n_entries} entries of {len(timelines)} incidents checked{against}: "
            f"{len(wrong)} wrong"
        )
    return 1 if wrong else 0
