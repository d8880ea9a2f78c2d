"""Reads the ``severity`` section, and the policy file that it names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import annotated_types as at

from detectors.base import FailureMode
from monitor.config.document import Document, Location, read_document
from monitor.config.forms import Reader, option_names
from monitor.config.messages import found, unknown_option
from monitor.config.problems import ConfigurationError, did_you_mean
from monitor.incidents.facts import Fact
from monitor.severity.rules import (
    SCORING,
    Caps,
    Cuts,
    Floor,
    ImpactRatioFloor,
    PointTables,
    PolicyRules,
    ScoringRules,
    UnknownValues,
)
from monitor.severity.scoring import FiveAxes
from monitor.severity.soundness import Fault, floor_faults, scoring_faults

__all__ = ["SeveritySettings", "load_severity_policy", "read_severity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveritySettings:
    """Which policy suggests how bad incidents are; the built-in one unless a file is named.

    Parameters
    ----------
    file
        A severity policy of your own, relative to the configuration's folder.
    version
        The version of it that you have approved: it must be the one in the file, so that a
        changed policy takes effect only when somebody names it here.
    """

    file: Path | None = None
    version: Annotated[str, at.MinLen(1)] | None = None

    def __post_init__(self) -> None:
        """Refuse a file without the approved version, and a version of nothing."""
        if (self.file is None) != (self.version is None):
            given = "version" if self.file is None else "file"
            message = (
                f"must have both file and version, got {given} alone; naming the version is how "
                "a person approves it"
            )
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _PolicyFile:
    """The options of a policy file besides ``failure_modes``."""

    name: Annotated[str, at.MinLen(1)]
    version: Annotated[str, at.MinLen(1)]
    governed_by: Annotated[str, at.MinLen(1)]
    cuts: Cuts
    points: PointTables
    unknown: UnknownValues
    tiers: Mapping[str, int]
    caps: Caps
    impact_ratio: ImpactRatioFloor
    floors: Mapping[Fact, Floor]


def read_severity(reader: Reader, section: object, folder: Path) -> FiveAxes | None:
    """Return the policy that a configuration asks for, or None after noting what is wrong.

    Parameters
    ----------
    folder
        Where the path of the policy file starts from.
    """
    settings = reader.read(SeveritySettings, section, ("severity",))
    if settings is None:
        return None
    if settings.file is None:
        return FiveAxes()
    path = folder / settings.file
    if not path.is_file():
        reader.wrong(("severity", "file"), f"must name a policy file, got {str(path)!r}")
        return None
    try:
        policy = load_severity_policy(path)
    except ConfigurationError as error:
        reader.problems += error.problems
        return None
    if policy.version != settings.version:
        message = (
            f"must be the version in {str(path)!r}, {policy.version!r}, got "
            f"{settings.version!r}; see what it would alter with 'outputwatch incident report "
            f"--policy', then name it here to approve it"
        )
        reader.wrong(("severity", "version"), message)
    return policy


def load_severity_policy(path: Path | str) -> FiveAxes:
    """Return the policy in a file.

    Raises
    ------
    ConfigurationError
        With every problem of the file; a policy that could suggest a milder tier as an input
        gets worse is refused.
    """
    document = read_document(path)
    reader = Reader(document)
    rules = _rules(reader, document)
    if rules is None or reader.problems:
        raise ConfigurationError(reader.problems)
    return FiveAxes(rules=rules)


def _rules(reader: Reader, document: Document) -> PolicyRules | None:
    data = document.data
    if not isinstance(data, dict):
        reader.wrong((), f"must be a mapping of options, got {found(data)}")
        return None
    options = {option: value for option, value in data.items() if option != "failure_modes"}
    file = reader.read(_PolicyFile, options, (), besides=("failure_modes",))
    own = data.get("failure_modes", {})
    base = {option: data.get(option) for option in SCORING}
    scoring = _scoring(reader, base, ()) if file is not None else None
    if file is not None:
        _note(reader, floor_faults(file.floors), ())
    modes = _modes(reader, own, base if scoring is not None else None)
    if file is None or scoring is None:
        return None
    return PolicyRules(
        name=file.name,
        version=file.version,
        governed_by=file.governed_by,
        scoring=scoring,
        failure_modes=modes,
        impact_ratio=file.impact_ratio,
        floors=file.floors,
    )


def _scoring(
    reader: Reader, values: Mapping[str, object], location: Location
) -> ScoringRules | None:
    rules = reader.read(ScoringRules, values, location)
    if rules is None:
        return None
    before = len(reader.problems)
    _note(reader, scoring_faults(rules), location)
    return rules if len(reader.problems) == before else None


def _modes(
    reader: Reader, section: object, base: Mapping[str, object] | None
) -> dict[FailureMode, ScoringRules]:
    """Return the rules of each failure mode that has some: what it does not say is as for all."""
    here: Location = ("failure_modes",)
    if not isinstance(section, dict):
        reader.wrong(here, f"must be a mapping of failure modes, got {found(section)}")
        return {}
    modes: dict[FailureMode, ScoringRules] = {}
    for name, values in section.items():
        location = (*here, name)
        if name not in set(FailureMode):
            known = [mode.value for mode in FailureMode]
            advice = did_you_mean(name, known) or f"; known are {', '.join(known)}"
            reader.wrong(location, f"unknown failure mode {name!r}{advice}")
        elif not isinstance(values, dict):
            reader.wrong(location, f"must be a mapping of options, got {found(values)}")
        elif _are_known(reader, values, location) and base is not None:
            rules = _scoring(reader, _merged(base, values), location)
            if rules is not None:
                modes[FailureMode(name)] = rules
    return modes


def _are_known(reader: Reader, values: Mapping[str, object], location: Location) -> bool:
    unknown = [option for option in values if option not in SCORING]
    for option in unknown:
        known = option_names(ScoringRules)
        reader.wrong((*location, option), unknown_option(option, known))
    return not unknown


def _merged(base: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    merged = dict(base)
    for option, value in own.items():
        below = base.get(option)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[option] = _merged(below, value)
        else:
            merged[option] = value
    return merged


def _note(reader: Reader, faults: Iterable[Fault], location: Location) -> None:
    for fault in faults:
        reader.wrong((*location, *fault.where), fault.message, missing=fault.missing)
