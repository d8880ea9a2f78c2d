"""``outputwatch baseline fit``: a new baseline from the reference rows."""

import argparse
from typing import TYPE_CHECKING

from monitor.arguments import add_time_range, time_range
from monitor.commands.baseline import add_configuration_argument, opened_store
from monitor.printing import say, span_text, time_text, write_json, write_line

if TYPE_CHECKING:
    from monitor.engine.fit import Fitted

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "fit"
HELP = "fit a baseline on reference rows and store it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration, the reference range and whether to promote at once."""
    add_configuration_argument(parser)
    add_time_range(parser)
    parser.add_argument("--promote", action="store_true", help="put it in force at once")
    parser.add_argument("--who", help="the person who decides")
    parser.add_argument("--why", help="the reason, for those who ask later")


def run(arguments: argparse.Namespace) -> int:
    """Fit, store and, if asked to, promote."""
    from monitor.clock import SystemClock
    from monitor.config.load import load_configuration
    from monitor.engine.fit import fit_baseline
    from monitor.engine.progress import terminal_progress
    from monitor.errors import OutputwatchError

    if arguments.promote and not (arguments.who and arguments.why):
        message = "a promotion has a person and a reason: give --who and --why"
        raise OutputwatchError(message)
    configuration = load_configuration(arguments.configuration)
    clock = SystemClock()
    with terminal_progress() as progress:
        fitted = fit_baseline(
            configuration, clock=clock, progress=progress, time=time_range(arguments)
        )
    with opened_store(arguments.configuration) as store:
        baseline_id = store.save(fitted.baseline)
        if arguments.promote:
            store.promote(baseline_id, who=arguments.who, why=arguments.why, at=clock.now_us())
    _write(fitted, baseline_id, arguments)
    return 0


def _moment(us: int | None) -> str | None:
    return None if us is None else time_text(us)


def _write(fitted: "Fitted", baseline_id: str, arguments: argparse.Namespace) -> None:
    from monitor.windows.wording import windows_in_words

    provenance = fitted.baseline.provenance
    if arguments.json:
        answer = {
            "id": baseline_id,
            "promoted": arguments.promote,
            "rows": provenance.n_rows,
            "rejected": dict(fitted.totals.rejected),
            "windows": provenance.n_windows,
            "windows_left_out": fitted.n_left_out,
            "first": _moment(provenance.first_us),
            "last": _moment(provenance.last_us),
            "slices": sorted(fitted.baseline.references),
            "tables": len(fitted.baseline.layout.tables),
            "cells": fitted.baseline.layout.n_cells,
        }
        write_json(answer)
        return
    columns = sum(len(table.axes) == 1 for table in fitted.baseline.layout.tables)
    span = span_text(provenance.first_us, provenance.last_us, before=" from ")
    write_line(
        f"baseline {baseline_id[:12]}: {provenance.n_rows:,} outputs{span}, "
        f"{columns} columns and checks, {provenance.n_windows:,} "
        f"{windows_in_words(provenance.windows)}"
    )
    if fitted.n_left_out:
        say(
            f"the history keeps the last {provenance.n_windows:,} windows of "
            f"{provenance.n_windows + fitted.n_left_out:,}, as many as fit in memory; every "
            "output counts in the reference"
        )
    for reason, number in fitted.totals.rejected.items():
        say(f"rejected {number:,}: {reason}")
    if arguments.promote:
        write_line("it is in force")
    else:
        say(
            f"put it in force: outputwatch baseline promote {arguments.configuration} "
            f"{baseline_id[:12]} --who NAME --why REASON"
        )
