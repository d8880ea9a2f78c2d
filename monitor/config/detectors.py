"""The ``detectors`` section: each entry becomes one detector for every series it names.

An option that names a column, a group or a safety check may be plural:

- ``column: [age, income]`` watches two columns, one series each;
- ``column: "*"`` watches every column of the schema that fits the option (features of text
  are watched by name only);
- ``group: sex`` is one series, ``group: [sex, race]`` is two, and ``group: [[sex, race]]`` is
  one series over the intersection; the forms mix: ``group: [sex, [sex, race]]``;
- ``check: [output/policy/hate, output/policy/harm]`` watches two checks.

Several plural options of one entry are combined, each value of one with each of the other.

``name: strict`` in an entry tells its series apart from those of another entry of the same
detector on the same columns: ``selection_rate_gap(approved, sex) [strict]``. ``rule``,
``weight`` and ``critical`` say how the series are decided, see `EntryDecision`.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from baselines.schema import Column, Role, Schema
from detectors.base import Detector
from detectors.options import CheckOption, ColumnOption, GroupOption, column_options
from detectors.registry import registered_detectors
from monitor.config.components import component_class
from monitor.config.decision import DEFAULT_RULE, DecisionRuleKind, EntryDecision
from monitor.config.document import Location
from monitor.config.forms import Reader
from monitor.config.messages import found
from monitor.config.model import DetectorEntry
from monitor.config.problems import Problem
from monitor.features.registry import with_features

__all__ = ["NAME_PATTERN", "read_detectors"]

EVERY = "*"
_DECISION_OPTIONS = ("rule", "weight", "critical")
_ENTRY_OPTIONS = ("type", "name", *_DECISION_OPTIONS, "for_windows")
NAME_PATTERN: Final = r"[A-Za-z0-9._-]([A-Za-z0-9._ -]{0,38}[A-Za-z0-9._-])?"
"""What an entry may be called."""
_THRESHOLD = DecisionRuleKind.THRESHOLD
_Mark = ColumnOption | GroupOption | CheckOption


@dataclass(frozen=True, slots=True)
class _Choice:
    """One value of a plural option and where it stands."""

    option: str
    value: object
    location: Location


def read_detectors(
    reader: Reader, section: object, schema: Schema | None
) -> tuple[DetectorEntry, ...]:
    """Return the entries of the document, after noting what is wrong with any.

    Parameters
    ----------
    schema
        None if the schema itself is wrong: options are then checked, columns are not.
    """
    if not isinstance(section, list) or not section:
        message = f"must be a list of at least one detector, got {found(section)}"
        reader.wrong(("detectors",), message)
        return ()
    entries: list[DetectorEntry] = []
    for index, values in enumerate(section):
        entries += _entry(reader, values, ("detectors", index), schema)
    _check_series(reader, entries)
    return tuple(entries)


def _entry(
    reader: Reader, values: object, location: Location, schema: Schema | None
) -> list[DetectorEntry]:
    cls = component_class(reader, values, location, registered_detectors())
    if cls is None or not isinstance(values, dict):
        return []
    for_windows = _for_windows(reader, values.get("for_windows", 1), location)
    name = _name(reader, values["name"], location) if "name" in values else None
    chosen_rule = {option: values[option] for option in _DECISION_OPTIONS if option in values}
    readable = reader.read(EntryDecision, chosen_rule, location)
    decision = readable or EntryDecision()
    options = {name: values[name] for name in values if name not in _ENTRY_OPTIONS}
    entries: list[DetectorEntry] = []
    for choices in _combinations(reader, cls, options, location, schema):
        chosen = options | {choice.option: choice.value for choice in choices}
        places = {choice.option: choice.location for choice in choices}
        detector = reader.read(cls, chosen, location, besides=_ENTRY_OPTIONS, places=places)
        if detector is None:
            continue
        if schema is not None:
            for option, message in detector.problems(with_features(schema)):
                reader.wrong(places.get(option, (*location, option)), message)
        elements = [each.location for each in choices if each.location[-1] != each.option]
        at = elements[0] if elements else location
        place = reader.document.place(at)
        entries.append(
            DetectorEntry(
                detector=detector,
                for_windows=for_windows,
                place=place,
                name=name,
                rule=decision.rule or (DEFAULT_RULE if detector.asks else _THRESHOLD),
                weight=decision.weight,
                critical=decision.critical,
            )
        )
    if entries and readable is not None:
        _check_rule(reader, entries[0], values, location)
    # Without its name a series would look like one that is watched twice.
    return [] if name is None and "name" in values else entries


def _for_windows(reader: Reader, value: object, location: Location) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    message = f"must be a whole number of at least 1, got {found(value)}"
    reader.wrong((*location, "for_windows"), message)
    return 1


def _check_rule(
    reader: Reader, entry: DetectorEntry, values: Mapping[str, object], location: Location
) -> None:
    """Note a rule that the detector cannot follow, and options of the other rule."""
    if entry.rule is DecisionRuleKind.EVIDENCE:
        if not entry.detector.asks:
            message = (
                f"must be 'threshold': no evidence can be gathered with {entry.detector.name!r} "
                "and these options, got 'evidence'"
            )
            reader.wrong((*location, "rule"), message)
        elif "for_windows" in values:
            message = "goes with rule 'threshold' only; evidence waits by itself"
            reader.wrong((*location, "for_windows"), message)
        return
    if values.get("rule") is None and entry.detector.asks:
        return
    for option in ("weight", "critical"):
        if option in values:
            message = "goes with rule 'evidence' only; a threshold has no part in the budget"
            reader.wrong((*location, option), message)


def _name(reader: Reader, value: object, location: Location) -> str | None:
    if isinstance(value, str) and re.fullmatch(NAME_PATTERN, value):
        return value
    message = (
        "must be at most 40 letters, digits, '-', '_', '.' or spaces between them, "
        f"got {found(value)}"
    )
    reader.wrong((*location, "name"), message)
    return None


def _combinations(
    reader: Reader,
    cls: type[Detector],
    options: Mapping[str, object],
    location: Location,
    schema: Schema | None,
) -> Iterator[tuple[_Choice, ...]]:
    """Yield one value of every plural option, in every combination."""
    plural = [
        _choices(reader, mark, options[option], (*location, option), schema)
        for option, mark in column_options(cls).items()
        if option in options
    ]
    yield from itertools.product(*plural)


def _choices(
    reader: Reader, mark: _Mark, value: object, location: Location, schema: Schema | None
) -> list[_Choice]:
    option = str(location[-1])
    if value == EVERY:
        return _every(reader, mark, location, schema)
    if isinstance(mark, ColumnOption) and mark.many:
        return [_Choice(option, [value] if isinstance(value, str) else value, location)]
    if not isinstance(value, list):
        return [_Choice(option, value, location)]
    if not value:
        reader.wrong(location, "must name at least one, got []")
    return [_Choice(option, each, (*location, i)) for i, each in enumerate(value)]


def _every(
    reader: Reader, mark: _Mark, location: Location, schema: Schema | None
) -> list[_Choice]:
    if isinstance(mark, CheckOption):
        message = "must name the checks, got '*'; which there are is not known before fitting"
        reader.wrong(location, message)
        return []
    option = str(location[-1])
    if schema is None:
        # Which columns there are is unknown; the entry's other options are checked once.
        return [_Choice(option, EVERY, location)]
    names = [column.name for column in schema if _fits(mark, column)]
    if not names:
        reader.wrong(location, f"no column of the schema {schema.name!r} fits, got '*'")
    if isinstance(mark, ColumnOption) and mark.many:
        return [_Choice(option, names, location)] if names else []
    return [_Choice(option, name, location) for name in names]


def _fits(mark: ColumnOption | GroupOption, column: Column) -> bool:
    """Return whether ``*`` stands for `column`; of groups only those declared as groups."""
    if isinstance(mark, GroupOption):
        return column.role is Role.GROUP
    if mark.roles and column.role not in mark.roles:
        return False
    kinds = {
        "numeric": column.is_numeric,
        "category": column.is_category,
        "any": column.is_numeric or column.is_category,
    }
    return kinds[mark.kind]


def _check_series(reader: Reader, entries: list[DetectorEntry]) -> None:
    first: dict[str, DetectorEntry] = {}
    for entry in entries:
        series = entry.series
        known = first.setdefault(series, entry)
        if known is not entry:
            message = (
                f"must be watched once, series {series!r} is also at {known.place}; "
                f"to keep both, give one of the entries a name"
            )
            reader.problems.append(Problem(entry.place, message))
