"""What a runbook says."""

from dataclasses import dataclass
from typing import Annotated

import annotated_types as at
from pydantic import ConfigDict

from detectors.base import FailureMode
from monitor.errors import OutputwatchError
from monitor.incidents.roles import Role

__all__ = ["Runbook", "RunbookError", "RunbookStep"]

_STRICT = ConfigDict(extra="forbid")


class RunbookError(OutputwatchError):
    """A runbook is wrong, or not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookStep:
    """One thing to do.

    Parameters
    ----------
    do
        What, in words that go on after "first,".
    who
        In which role.
    within_minutes
        How long after the alarm it should be done; a starting point.
    commands
        What is typed for it, without ``outputwatch``; ``CONFIG`` and ``ID`` stand for the
        configuration and the incident, other words in capitals for what only people know.
    why
        Why it comes here, where that is not plain.
    """

    __pydantic_config__ = _STRICT

    do: Annotated[str, at.MinLen(1)]
    who: Role
    within_minutes: Annotated[int, at.Ge(1)]
    commands: tuple[Annotated[str, at.MinLen(1)], ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """What is done in incidents of one kind.

    Parameters
    ----------
    failure_mode
        Of which kind.
    title
        In a few words.
    first
        How many of the steps are shown on the page of an incident.
    steps
        In order.
    do_not
        What makes it worse.
    """

    __pydantic_config__ = _STRICT

    failure_mode: FailureMode
    title: Annotated[str, at.MinLen(1)]
    first: Annotated[int, at.Ge(1)] = 4
    steps: Annotated[tuple[RunbookStep, ...], at.MinLen(1)]
    do_not: Annotated[tuple[str, ...], at.MinLen(1)]

    @property
    def first_steps(self) -> tuple[str, ...]:
        """Return what the page of an incident shows: the first steps, in words."""
        return tuple(step.do for step in self.steps[: self.first])
