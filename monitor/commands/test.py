"""``outputwatch test``: whether a policy does what its owner expects of it."""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from monitor.printing import write_json, write_line

if TYPE_CHECKING:
    from monitor.policy_tests.run import Miss, TestOutcome
    from monitor.policy_tests.severity_run import SeverityOutcome

    Outcome = TestOutcome | SeverityOutcome

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "test"
HELP = "test a policy, or a severity policy, against what is expected of it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the files of tests and the form of the answer."""
    parser.add_argument(
        "files", nargs="+", metavar="POLICY.test.yaml", help="one file of policy tests, or several"
    )
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if every expectation of every test holds, else 1."""
    from monitor.config.problems import ConfigurationError, Problem

    problems: list[Problem] = []
    outcomes: list[tuple[str, Outcome]] = []
    for file in arguments.files:
        try:
            outcomes += [(file, outcome) for outcome in _outcomes(file)]
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


def _outcomes(file: str) -> "Iterable[Outcome]":
    from monitor.policy_tests.severity_cases import is_severity_test, load_severity_tests

    if is_severity_test(file):
        from monitor.policy_tests.severity_run import run_severity_tests

        return run_severity_tests(load_severity_tests(file))
    from monitor.policy_tests.load import load_policy_tests
    from monitor.policy_tests.run import run_policy_test

    tests = load_policy_tests(file)
    policy = tests.configuration.severity
    return [run_policy_test(tests, test, policy) for test in tests.tests]


def _lines(outcomes: "Iterable[tuple[str, Outcome]]") -> Iterable[str]:
    n_tests, n_failed = 0, 0
    for file, outcome in outcomes:
        n_tests += 1
        n_failed += bool(outcome.misses)
        verdict = "FAILED" if outcome.misses else "ok"
        yield f"{verdict:6} {file}: {outcome.test.name}"
        for told in _misses(outcome):
            yield f"       {told}"
    failed = f", {n_failed} failed" if n_failed else ""
    yield f"{n_tests} {'test' if n_tests == 1 else 'tests'}{failed}"


def _misses(outcome: "Outcome") -> list[str]:
    from monitor.policy_tests.severity_run import SeverityOutcome

    if isinstance(outcome, SeverityOutcome):
        return [
            f"{miss.place}: expected {miss.expected}, found {miss.found}"
            for miss in outcome.misses
        ]
    return [_told(miss) for miss in outcome.misses]


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


def _record(file: str, outcome: "Outcome") -> dict[str, object]:
    from monitor.policy_tests.severity_run import SeverityOutcome

    if isinstance(outcome, SeverityOutcome):
        told = _severity_record(outcome)
    else:
        told = {"misses": [_miss_record(miss) for miss in outcome.misses]}
    return {"file": file, "test": outcome.test.name, "ok": not outcome.misses, **told}


def _severity_record(outcome: "SeverityOutcome") -> dict[str, object]:
    suggestion = outcome.suggestion
    return {
        "suggested": suggestion.tier.value,
        "could_be": suggestion.could_be.value,
        "score": suggestion.score,
        "reasons": list(suggestion.reasons),
        "unknowns": list(suggestion.unknowns),
        "policy": suggestion.policy,
        "misses": [
            {
                "line": miss.place.line,
                "column": miss.place.column,
                "expected": miss.expected,
                "found": miss.found,
            }
            for miss in outcome.misses
        ],
    }


def _miss_record(miss: "Miss") -> dict[str, object]:
    return {
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
