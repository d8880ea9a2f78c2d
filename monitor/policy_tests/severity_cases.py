"""Tests of a severity policy: given inputs, the tiers and reasons that are expected."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import annotated_types as at

from detectors.base import Estimate, FailureMode
from monitor.config.document import Location, read_document
from monitor.config.forms import Reader
from monitor.config.messages import found
from monitor.config.problems import ConfigurationError, Place
from monitor.config.severity import load_severity_policy
from monitor.incidents.facts import Fact
from monitor.incidents.suggestion import Axes, Tier
from monitor.severity.inputs import Evidence, SeverityInputs
from monitor.severity.register import Reversibility, Stakes, Vulnerability
from monitor.severity.scoring import FiveAxes

__all__ = [
    "BUILT_IN",
    "ExpectedSuggestion",
    "SeverityTest",
    "SeverityTests",
    "is_severity_test",
    "load_severity_tests",
]

BUILT_IN = "built-in"
_TEST_OPTIONS = ("name", "inputs", "expect")
Interval = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSuggestion:
    """What a policy must make of the inputs; at least one of these.

    Parameters
    ----------
    suggested, could_be
        The tiers.
    score
        The sum of the axes.
    axes
        The points of each axis.
    held
        Whether it is only to be watched.
    reasons
        Pieces of text, each of which one of the reasons must hold.
    unknowns
        Pieces of text, each of which one of the unknowns must hold; an empty list: there are
        no unknowns.
    """

    suggested: Tier | None = None
    could_be: Tier | None = None
    score: Annotated[int, at.Ge(0), at.Le(15)] | None = None
    axes: Axes | None = None
    held: bool | None = None
    reasons: tuple[Annotated[str, at.MinLen(1)], ...] = ()
    unknowns: tuple[Annotated[str, at.MinLen(1)], ...] | None = None

    def __post_init__(self) -> None:
        """Refuse a test that cannot fail."""
        asked = (self.suggested, self.could_be, self.score, self.axes, self.held, self.unknowns)
        if not self.reasons and all(each is None for each in asked):
            message = (
                "must expect something: suggested, could_be, score, axes, held, reasons or "
                "unknowns"
            )
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityTest:
    """One case.

    Parameters
    ----------
    name
        Tells the test apart.
    inputs
        What the policy is told.
    expected
        What it must suggest.
    place
        Where the expectation stands in the file.
    """

    name: str
    inputs: SeverityInputs
    expected: ExpectedSuggestion
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityTests:
    """All tests of one file, and the policy under test."""

    file: str
    policy: FiveAxes
    tests: tuple[SeverityTest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inputs:
    """The inputs of a case; intervals are low, estimate, high."""

    failure_mode: FailureMode | None = None
    departure: Interval | None = None
    evidence: Evidence = Evidence.ONE_WINDOW
    share: Annotated[float, at.Ge(0), at.Le(1)] | None = None
    people: Annotated[int, at.Ge(0)] | None = None
    days: Annotated[float, at.Ge(0)] | None = None
    protected_group_worse_off: bool | None = None
    undeclared_worse_off: tuple[str, ...] = ()
    impact_ratio: Interval | None = None
    stakes: Stakes | None = None
    reversibility: Reversibility | None = None
    vulnerable_users: Vulnerability | None = None
    shadow: bool = False
    facts: tuple[Fact, ...] = ()

    def __post_init__(self) -> None:
        """Refuse intervals whose estimate lies outside."""
        for option in ("departure", "impact_ratio"):
            interval: Interval | None = getattr(self, option)
            if interval is not None and tuple(sorted(interval)) != interval:
                message = f"{option} must be low, estimate, high in order, got {list(interval)}"
                raise ValueError(message)


def is_severity_test(path: Path | str) -> bool:
    """Return whether a file tests a severity policy, and not what a monitor decides.

    Raises
    ------
    ConfigurationError
        If the file cannot be read.
    """
    data = read_document(path).data
    return isinstance(data, dict) and "severity" in data and "configuration" not in data


def load_severity_tests(path: Path | str) -> SeverityTests:
    """Return the tests in a file.

    Raises
    ------
    ConfigurationError
        With every problem of the file, or of its policy.
    """
    reader = Reader(read_document(path))
    data = reader.document.data
    if not isinstance(data, dict):
        reader.wrong((), f"must be a mapping with severity and tests, got {found(data)}")
        raise ConfigurationError(reader.problems)
    for option in data:
        if option not in ("severity", "tests"):
            reader.wrong((option,), "unknown option; there are severity and tests")
    policy = _policy(reader, data.get("severity"), Path(path).parent)
    tests = _tests(reader, data.get("tests"))
    if policy is None or reader.problems:
        raise ConfigurationError(reader.problems)
    return SeverityTests(file=str(path), policy=policy, tests=tests)


def _policy(reader: Reader, named: object, folder: Path) -> FiveAxes | None:
    if named == BUILT_IN:
        return FiveAxes()
    if not isinstance(named, str) or not (folder / named).is_file():
        message = f"must be a policy file, or {BUILT_IN!r}, got {found(named)}"
        reader.wrong(("severity",), message)
        return None
    try:
        return load_severity_policy(folder / named)
    except ConfigurationError as error:
        reader.problems += error.problems
        return None


def _tests(reader: Reader, section: object) -> tuple[SeverityTest, ...]:
    if not isinstance(section, list) or not section:
        message = f"must be a list of at least one test, got {found(section)}"
        reader.wrong(("tests",), message, missing=True)
        return ()
    tests = (_test(reader, each, ("tests", index)) for index, each in enumerate(section))
    return tuple(test for test in tests if test is not None)


def _test(reader: Reader, values: object, location: Location) -> SeverityTest | None:
    if not isinstance(values, dict):
        reader.wrong(location, f"must be a mapping, got {found(values)}")
        return None
    for option in values:
        if option not in _TEST_OPTIONS:
            known = ", ".join(_TEST_OPTIONS)
            reader.wrong((*location, option), f"unknown option; there are {known}")
    name = values.get("name")
    if not isinstance(name, str) or not name:
        message = f"must be text that tells the test apart, got {found(name)}"
        reader.wrong((*location, "name"), message, missing=True)
    inputs = reader.read(_Inputs, values.get("inputs", {}), (*location, "inputs"))
    expected = reader.read(ExpectedSuggestion, values.get("expect", {}), (*location, "expect"))
    if inputs is None or expected is None:
        return None
    place = reader.document.place((*location, "expect"))
    return SeverityTest(name=str(name), inputs=_told(inputs), expected=expected, place=place)


def _told(inputs: _Inputs) -> SeverityInputs:
    return SeverityInputs(
        failure_mode=inputs.failure_mode,
        departure=_estimate(inputs.departure),
        evidence=inputs.evidence,
        share=inputs.share,
        people=inputs.people,
        days=inputs.days,
        protected_group_worse_off=inputs.protected_group_worse_off,
        undeclared_worse_off=inputs.undeclared_worse_off,
        impact_ratio=_estimate(inputs.impact_ratio),
        stakes=inputs.stakes,
        reversibility=inputs.reversibility,
        vulnerable_users=inputs.vulnerable_users,
        shadow=inputs.shadow,
        facts=frozenset(inputs.facts),
    )


def _estimate(interval: Interval | None) -> Estimate | None:
    if interval is None:
        return None
    low, value, high = interval
    return Estimate(value, low, high)
