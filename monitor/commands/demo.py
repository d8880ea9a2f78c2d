"""``outputwatch demo``: a month of two AI systems with planted incidents, audited."""

import argparse
from pathlib import Path

from monitor.errors import OutputwatchError
from monitor.printing import say, write_json, write_line

__all__ = ["HELP", "NAME", "DemoArgumentsError", "add_arguments", "run"]

NAME = "demo"
HELP = "make a month of events with planted incidents, and show what a monitor finds in them"

_FEWEST_EVENTS = 20_000
_INCIDENTS = 3


class DemoArgumentsError(OutputwatchError):
    """No demo can be made of these arguments."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where to write, how much, and the form of the answer."""
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path("demo"),
        metavar="FOLDER",
        help="where events, configurations and databases go (default: %(default)s)",
    )
    parser.add_argument(
        "--events", type=int, default=210_000, metavar="N", help="events (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="of the made-up events (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Make the events, audit them and tell; return 3, for incidents are opened."""
    if arguments.events < _FEWEST_EVENTS:
        message = (
            f"--events must be at least {_FEWEST_EVENTS}, got {arguments.events}: days of fewer "
            f"outputs are too few to judge"
        )
        raise DemoArgumentsError(message)
    if arguments.seed < 0:
        message = f"--seed must be 0 or more, got {arguments.seed}"
        raise DemoArgumentsError(message)
    if arguments.directory.exists() and not arguments.directory.is_dir():
        message = f"--directory must be a folder, got the file {str(arguments.directory)!r}"
        raise DemoArgumentsError(message)
    from monitor.clock import FixedClock
    from monitor.demo.running import run_demo
    from monitor.demo.scenario import AUDITED_US
    from monitor.demo.telling import demo_record, demo_text
    from monitor.engine.progress import terminal_progress

    with terminal_progress() as progress:
        result = run_demo(
            arguments.directory,
            n_events=arguments.events,
            seed=arguments.seed,
            clock=FixedClock(AUDITED_US),
            progress=progress,
            say=say,
        )
    if arguments.json:
        write_json(demo_record(result))
    else:
        write_line(demo_text(result))
    return _INCIDENTS if result.incidents else 0
