"""``outputwatch backtest``: what another policy would have raised on the windows of audits."""

import argparse
from pathlib import Path

from monitor.arguments import add_time_range, time_range
from monitor.printing import say, time_text, write_json, write_line, write_table

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "backtest"
HELP = "judge the stored windows of past audits under another policy and compare"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the two configurations, the range, the quiet part and the form of the answer."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file; its past audits")
    parser.add_argument(
        "--policy", required=True, type=Path, metavar="NEW_CONFIG", help="the policy to try out"
    )
    add_time_range(parser)
    add_time_range(parser, "quiet", "; of the quiet part, else the time of the baseline's windows")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Compare both policies; nothing is stored."""
    from monitor.config.load import load_configuration
    from monitor.engine.backtest import run_backtest
    from monitor.engine.backtest_text import (
        HEADINGS,
        backtest_lines,
        backtest_record,
        incident_rows,
        policy_notes,
    )
    from monitor.engine.progress import terminal_progress
    from monitor.engine.promoted import promoted_baseline
    from monitor.engine.reading import TimeRange
    from monitor.engine.stored_windows import stored_windows
    from monitor.storage.store import Store

    old = load_configuration(arguments.configuration)
    new = load_configuration(arguments.policy)
    baseline = promoted_baseline(old)
    time, quiet = time_range(arguments) or TimeRange(), time_range(arguments, "quiet")
    with Store.open(old.storage.url, must_exist=True) as store:
        windows = stored_windows(store, baseline, old.windows, time)
    if windows.compacted_until_us is not None:
        say(
            f"windows before {time_text(windows.compacted_until_us)} were added up to days and "
            "months, see 'retention'; they are not judged"
        )
    with terminal_progress() as progress:
        result = run_backtest(
            windows,
            baseline=baseline,
            old=old,
            new=new,
            progress=progress,
            quiet=quiet,
        )
    if arguments.json:
        write_json(backtest_record(result))
        return 0
    for note in policy_notes(result):
        say(note)
    for line in backtest_lines(result):
        write_line(line)
    if result.pairs:
        write_line("")
        write_table(HEADINGS, incident_rows(result))
    return 0
