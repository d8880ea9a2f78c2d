"""Sections that name a component by ``type``: its dataclass's fields are the other options."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_type_hints

from monitor.config.document import Location
from monitor.config.forms import Reader
from monitor.config.messages import found
from monitor.config.problems import did_you_mean
from monitor.sources.base import NestedSource

__all__ = ["component_class", "nested_options", "read_component"]

T = TypeVar("T")


def component_class(
    reader: Reader, section: object, location: Location, known: Mapping[str, type[T]]
) -> type[T] | None:
    """Return the class that ``type`` names, or None after noting what is wrong."""
    if not isinstance(section, dict):
        reader.wrong(location, f"must be a mapping of options, got {found(section)}")
        return None
    if "type" not in section:
        message = f"must be given; known are {', '.join(known)}"
        reader.wrong((*location, "type"), message, missing=True)
        return None
    name = section["type"]
    if not isinstance(name, str) or name not in known:
        advice = did_you_mean(name, list(known)) if isinstance(name, str) else ""
        advice = advice or f"; known are {', '.join(known)}"
        reader.wrong((*location, "type"), f"unknown type {found(name)}{advice}")
        return None
    return known[name]


def read_component(
    reader: Reader, section: object, location: Location, known: Mapping[str, type[T]]
) -> T | None:
    """Return the component that a section describes, or None after noting what is wrong.

    Parameters
    ----------
    known
        The classes by the name that ``type`` gives them.
    """
    cls = component_class(reader, section, location, known)
    if cls is None or not isinstance(section, dict):
        return None
    options = {option: value for option, value in section.items() if option != "type"}
    nested = {
        option: read_component(reader, options[option], (*location, option), known)
        for option in nested_options(cls)
        if option in options
    }
    found_problem = any(each is None for each in nested.values())
    component = reader.read(cls, options, location, besides=("type",))
    if component is None or found_problem or not nested:
        return None if found_problem else component
    try:
        return _with(component, nested)
    except ValueError as error:
        reader.wrong(location, str(error))
        return None


def nested_options(cls: type[Any]) -> tuple[str, ...]:
    """Return the options of a component that are components themselves."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(
        option.name
        for option in dataclasses.fields(cls)
        if any(isinstance(mark, NestedSource) for mark in get_args(hints[option.name])[1:])
    )


def _with(component: T, options: Mapping[str, object]) -> T:
    changed: Any = component
    made: T = dataclasses.replace(changed, **options)
    return made
