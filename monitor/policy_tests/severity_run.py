"""Ask a severity policy about the cases of its tests, and compare."""

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.config.problems import Place
from monitor.incidents.suggestion import Axes, Suggestion
from monitor.policy_tests.severity_cases import ExpectedSuggestion, SeverityTest, SeverityTests

__all__ = ["SeverityMiss", "SeverityOutcome", "run_severity_tests"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityMiss:
    """One expectation that does not hold: its place, and both sides in words."""

    place: Place
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityOutcome:
    """What became of a test: no miss is a pass."""

    test: SeverityTest
    suggestion: Suggestion
    misses: tuple[SeverityMiss, ...]


def run_severity_tests(tests: SeverityTests) -> tuple[SeverityOutcome, ...]:
    """Return what became of every test, in the order of the file."""
    return tuple(_outcome(tests, test) for test in tests.tests)


def _outcome(tests: SeverityTests, test: SeverityTest) -> SeverityOutcome:
    suggestion = tests.policy.suggest(test.inputs)
    misses = tuple(
        SeverityMiss(place=test.place, expected=expected, found=found)
        for expected, found in _differences(test.expected, suggestion)
    )
    return SeverityOutcome(test=test, suggestion=suggestion, misses=misses)


def _differences(
    expected: ExpectedSuggestion, suggestion: Suggestion
) -> Iterator[tuple[str, str]]:
    reasons = "; ".join(suggestion.reasons)
    if expected.suggested not in (None, suggestion.tier):
        yield f"{expected.suggested} suggested", f"{suggestion.tier}: {reasons}"
    if expected.could_be not in (None, suggestion.could_be):
        yield f"could be as high as {expected.could_be}", suggestion.could_be.value
    if expected.score not in (None, suggestion.score):
        yield f"a score of {expected.score}", f"{suggestion.score}: {_axes(suggestion.axes)}"
    if expected.axes is not None and expected.axes != suggestion.axes:
        yield _axes(expected.axes), _axes(suggestion.axes)
    if expected.held not in (None, suggestion.held):
        yield _held(expected.held), _held(suggestion.held)
    for piece in expected.reasons:
        if not any(piece in reason for reason in suggestion.reasons):
            yield f"a reason with {piece!r}", reasons
    yield from _unknown_differences(expected.unknowns, suggestion.unknowns)


def _unknown_differences(
    expected: tuple[str, ...] | None, unknowns: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    found = "; ".join(unknowns) or "nothing unknown"
    if expected == () and unknowns:
        yield "nothing unknown", found
    for piece in expected or ():
        if not any(piece in unknown for unknown in unknowns):
            yield f"an unknown with {piece!r}", found


def _axes(axes: Axes) -> str:
    return (
        f"effect {axes.effect}, reach {axes.reach}, stakes {axes.stakes}, "
        f"reversal {axes.reversal}, people {axes.people}"
    )


def _held(held: bool | None) -> str:
    return "held to be watched" if held else "not held"
