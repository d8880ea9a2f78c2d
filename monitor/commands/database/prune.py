"""``outputwatch database prune``: apply the retention of a configuration now."""

import argparse

from monitor.printing import say, write_json, write_table

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "prune"
HELP = "add up old windows and drop old records, as 'retention' says, audits included"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration and whether it is a trial."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument(
        "--dry-run", action="store_true", help="change nothing, say what would be done"
    )
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Write how many rows were added up or dropped."""
    from monitor.clock import SystemClock
    from monitor.config.load import load_configuration
    from monitor.engine.incident_desk import monitor_name
    from monitor.engine.progress import terminal_progress
    from monitor.engine.retention import Retention, Step
    from monitor.storage.store import Store

    configuration = load_configuration(arguments.configuration)
    with (
        Store.open(configuration.storage.url, must_exist=True) as store,
        terminal_progress() as progress,
    ):
        retention = Retention(
            store=store,
            settings=configuration.retention,
            monitor=monitor_name(configuration),
            now_us=SystemClock().now_us(),
            with_audits=True,
            dry_run=arguments.dry_run,
            progress=progress,
        )
        for _ in retention.steps():
            pass
    report = retention.report
    if arguments.json:
        write_json({"dry_run": arguments.dry_run, **report.as_json()})
        return 0
    for sentence in report.kept:
        say(sentence)
    if arguments.dry_run:
        say("nothing was changed; this is what would be done")
    rows = [(step.replace("_", " "), str(report.counts[step])) for step in Step]
    write_table(("what", "rows"), rows)
    return 0
