"""The files of duties and calendars that come with the program."""

import functools
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from monitor.incidents.records import from_record
from monitor.incidents.regimes.model import Regime, RegimeError, Unit
from monitor.incidents.regimes.periods import Calendar

__all__ = ["calendars", "regime", "regimes"]

T = TypeVar("T", Regime, Calendar)


@functools.cache
def regimes() -> Mapping[str, Regime]:
    """Return every duty by its id, in order of id.

    Raises
    ------
    RegimeError
        If a file is wrong.
    """
    known = calendars()
    found = {}
    for name, each in _files("data", Regime):
        _check(name, each, known)
        found[each.id] = each
    return found


@functools.cache
def calendars() -> Mapping[str, Calendar]:
    """Return every calendar of working days by its id.

    Raises
    ------
    RegimeError
        If a file is wrong.
    """
    return {each.id: each for _, each in _files("calendars", Calendar)}


def regime(id_: str) -> Regime:
    """Return the duty with an id.

    Raises
    ------
    RegimeError
        If there is none.
    """
    known = regimes()
    if id_ not in known:
        message = f"no reporting duty is called {id_!r}; known are {', '.join(known)}"
        raise RegimeError(message)
    return known[id_]


def _files(folder: str, kind: type[T]) -> list[tuple[str, T]]:
    place = files("monitor.incidents.regimes") / folder
    found = []
    for file in sorted(place.iterdir(), key=lambda each: each.name):
        if not file.name.endswith(".yaml"):
            continue
        document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        try:
            each = from_record(kind, document)
        except (ValidationError, TypeError) as error:
            message = f"{folder}/{file.name} is not a valid {kind.__name__.lower()}: {error}"
            raise RegimeError(message) from error
        if each.id != file.name.removesuffix(".yaml"):
            message = f"{folder}/{file.name} must hold the id of its name, got {each.id!r}"
            raise RegimeError(message)
        found.append((file.name, each))
    return found


def _check(name: str, each: Regime, known: Mapping[str, Calendar]) -> None:
    if len({clock.name for clock in each.clocks}) < len(each.clocks):
        message = f"data/{name}: the names of clocks must differ"
        raise RegimeError(message)
    for clock in each.clocks:
        if (clock.unit is Unit.WORKING) != (clock.calendar is not None):
            message = f"data/{name}: clock {clock.name!r} needs a calendar for working days only"
            raise RegimeError(message)
        if clock.calendar is not None and clock.calendar not in known:
            message = (
                f"data/{name}: clock {clock.name!r} names calendar {clock.calendar!r}; known are "
                f"{', '.join(known)}"
            )
            raise RegimeError(message)
