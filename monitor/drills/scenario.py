"""Scenarios of drills: files that say what goes wrong, in which outputs, and what is switched."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import annotated_types as at
import yaml
from pydantic import ConfigDict, ValidationError

from detectors.base import FailureMode
from monitor.drills.script import Script
from monitor.errors import OutputwatchError
from monitor.incidents.records import from_record
from monitor.incidents.suggestion import Tier
from monitor.rollbacks.plans import PlanKind

__all__ = [
    "RESERVED",
    "Kind",
    "Numbers",
    "Scenario",
    "ScenarioError",
    "Switch",
    "scenario",
    "shipped",
]

RESERVED = ("list", "continue", "report")
"""Words of the command line that no scenario is called."""

_STRICT = ConfigDict(extra="forbid")


class ScenarioError(OutputwatchError):
    """There is no such scenario, or its file is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Outputs that hold the same values.

    Parameters
    ----------
    share
        Of all outputs, relative to the other kinds.
    values
        The values by column; null: no value.
    """

    __pydantic_config__ = _STRICT

    share: Annotated[float, at.Gt(0)]
    values: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A column of numbers: the logarithm is normal.

    Parameters
    ----------
    median
        As released before; in the unit of the column.
    spread
        Standard deviation of the logarithm.
    breach_median
        Under the release that breaks it.
    """

    __pydantic_config__ = _STRICT

    median: Annotated[float, at.Gt(0)]
    spread: Annotated[float, at.Gt(0)]
    breach_median: Annotated[float, at.Gt(0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """What is switched back: a flag in a file, which the made-up outputs follow.

    Parameters
    ----------
    flag
        The key of the flag.
    kind
        What it stands for.
    before, after
        The variants: with outputs as usual, and with the breach.
    values
        What each variant sets, for the diff.
    """

    __pydantic_config__ = _STRICT

    flag: Annotated[str, at.MinLen(1)]
    kind: PlanKind
    before: Annotated[str, at.MinLen(1)]
    after: Annotated[str, at.MinLen(1)]
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One made-up breach.

    Parameters
    ----------
    name
        That of its file.
    failure_mode
        Which kind of incident it must become.
    title
        One line in words.
    story
        What the people who practise are told at the beginning.
    series
        The series that must raise the alarm.
    at_least
        The mildest tier that may be suggested.
    configuration
        The sections ``system``, ``schema`` and ``detectors`` of the monitor.
    outputs_a_minute
        Made-up outputs of each window of a minute.
    usual, breach
        Kinds of outputs under the two releases.
    numbers
        Columns of numbers by name.
    switch
        What is rolled back.
    script
        What the scripted responder says and does.
    """

    __pydantic_config__ = _STRICT

    name: Annotated[str, at.MinLen(1)]
    failure_mode: FailureMode
    title: Annotated[str, at.MinLen(1)]
    story: Annotated[str, at.MinLen(1)]
    series: str
    at_least: Tier
    configuration: Mapping[str, Any]
    outputs_a_minute: Annotated[int, at.Ge(50), at.Le(10_000)] = 600
    usual: Annotated[tuple[Kind, ...], at.MinLen(1)]
    breach: Annotated[tuple[Kind, ...], at.MinLen(1)]
    numbers: Mapping[str, Numbers] = field(default_factory=dict)
    switch: Switch
    script: Script


def scenario(name: str) -> Scenario:
    """Return a scenario by the name of ours, or by the path of a file.

    Raises
    ------
    ScenarioError
        If there is none, or its file is wrong.
    """
    known = shipped()
    if name in known:
        return known[name]
    path = Path(name)
    if not path.is_file():
        message = f"a scenario must be one of {', '.join(known)}, or a YAML file; got {name!r}"
        raise ScenarioError(message)
    return _read(str(path), path.stem, path.read_text(encoding="utf-8"))


@functools.cache
def shipped() -> Mapping[str, Scenario]:
    """Return the scenarios that come with the program, by name.

    Raises
    ------
    ScenarioError
        If a file is wrong.
    """
    place = files("monitor.drills") / "scenarios"
    found = sorted(
        (file for file in place.iterdir() if file.name.endswith(".yaml")),
        key=lambda each: each.name,
    )
    stems = {file.name.removesuffix(".yaml"): file for file in found}
    return {
        stem: _read(file.name, stem, file.read_text(encoding="utf-8"))
        for stem, file in stems.items()
    }


def _read(name: str, stem: str, text: str) -> Scenario:
    try:
        document = yaml.safe_load(text)
        made = from_record(Scenario, document)
    except (ValidationError, TypeError, ValueError, yaml.YAMLError) as error:
        message = f"{name} is no valid scenario: {error}"
        raise ScenarioError(message) from error
    if made.name != stem or made.name in RESERVED:
        message = (
            f"{name} must hold the name of its file, none of {', '.join(RESERVED)}; got "
            f"{made.name!r}"
        )
        raise ScenarioError(message)
    lacking = {"system", "schema", "detectors"} ^ set(made.configuration)
    if lacking:
        message = (
            f"{name} must configure system, schema and detectors and nothing else; see "
            f"{', '.join(sorted(lacking))}"
        )
        raise ScenarioError(message)
    return made
