"""``outputwatch test``: whether a policy does what its owner expects of it."""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from monitor.printing import write_json, write_line

if TYPE_CHECKING:
    from monitor.policy_tests.run import Miss, TestOutcome

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "test"
HELP = "test a policy with made-up series and expected states"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the files of tests and the form of the answer."""
    parser.add_argument(
        "files", nargs="+", metavar="POLICY.test.yaml", help="one file of policy tests, or several"
    )
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if every expectation of every test holds, else 1."""
    from monitor.config.problems import ConfigurationError, Problem
    from monitor.policy_tests.load import load_policy_tests
    from monitor.policy_tests.run import run_policy_test
    from monitor.severity.scoring import FiveAxes

    problems: list[Problem] = []
    outcomes: list[tuple[str, TestOutcome]] = []
    for file in arguments.files:
        try:
            tests = load_policy_tests(file)
            outcomes += [(file, run_policy_test(tests, test, FiveAxes())) for test in tests.tests]
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    if arguments.json:
        write_json([_record(file, outcome) for file, outcome in outcomes])
    else:
        for line in _lines(outcomes):
            write_line(line)
    return 1 if any(outcome.misses for _, outcome in outcomes) else 0


def _lines(outcomes: Iterable[tuple[str, "TestOutcome"]]) -> Iterable[str]:
    n_tests, n_failed = 0, 0
    for file, outcome in outcomes:
        n_tests += 1
        n_failed += bool(outcome.misses)
        verdict = "FAILED" if outcome.misses else "ok"
        yield f"{verdict:6} {file}: {outcome.test.name}"
        for miss in outcome.misses:
            yield f"       {_told(miss)}"
    failed = f", {n_failed} failed" if n_failed else ""
    yield f"{n_tests} {'test' if n_tests == 1 else 'tests'}{failed}"


def _told(miss: "Miss") -> str:
    where = "" if miss.slice == "all" else f" on {miss.slice}"
    told = (
        f"{miss.place}: {miss.series}{where}, window {miss.window}: "
        f"expected {miss.expected}, found {miss.found}"
    )
    if miss.seen is not None and miss.seen.share is not None:
        told += f"; {_evidence(miss.seen.share)}"
    return told


def _evidence(share: float) -> str:
    if share >= 1:
        return "evidence enough for an alarm"
    return f"evidence at {100 * share:.2g} % of an alarm"


def _record(file: str, outcome: "TestOutcome") -> dict[str, object]:
    return {
        "file": file,
        "test": outcome.test.name,
        "ok": not outcome.misses,
        "misses": [
            {
                "line": miss.place.line,
                "column": miss.place.column,
                "series": miss.series,
                "slice": miss.slice,
                "window": miss.window,
                "expected": miss.expected,
                "found": miss.found,
                "state": miss.seen.state.value if miss.seen else None,
                "incident": miss.seen.tier.value if miss.seen and miss.seen.tier else None,
                "evidence": miss.seen.share if miss.seen else None,
                "sentence": miss.seen.sentence if miss.seen else None,
            }
            for miss in outcome.misses
        ],
    }
