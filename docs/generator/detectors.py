"""The page about detectors, from the registry and the docstrings."""

import dataclasses
import enum
from collections.abc import Iterator
from typing import Any

from baselines.layout import AxisNeed, TableNeed
from baselines.schema import Schema
from detectors.base import Detector
from detectors.options import CheckOption, ColumnOption, CommonOptions, column_options
from detectors.registry import registered_detectors
from docs.generator.configuration import option_table
from docs.generator.markdown import code, plain_markdown, section, table

__all__ = ["detectors_page", "own_detectors"]

_INTRODUCTION = """\
A detector compares one window with the baseline: an effect with its confidence interval, held
against the tolerance; see [intervals and verdicts](../explanation/intervals-and-verdicts.md).
Most can also ask in counts, so that [evidence](../explanation/evidence.md) is gathered over
windows and decides; the others are decided by the interval of each window, without a guarantee on
false alarms. A detector of your own is one module:
[write a detector](../how-to/write-a-detector.md).

The options that every detector has:
"""


def detectors_page() -> str:
    """Return the page."""
    known = own_detectors()
    lines = ["# Detectors", "", _INTRODUCTION, *option_table(CommonOptions)]
    lines += table(
        ("detector", "kind of incident", "what it does"),
        [(f"[`{name}`](#{name})", _mode(cls), _summary(cls)) for name, cls in known.items()],
    )
    for name, cls in known.items():
        lines += _detector(name, cls)
    return "\n".join(lines)


def own_detectors() -> dict[str, type[Any]]:
    """Return the registered detectors that are ours, not those of other distributions."""
    known = registered_detectors().items()
    return {name: cls for name, cls in known if cls.__module__.startswith("detectors.")}


def _mode(cls: type[Any]) -> str:
    fields = {option.name: option for option in dataclasses.fields(cls)}
    return str(fields["failure_mode"].default.value)


def _summary(cls: type[Any]) -> str:
    return plain_markdown(section(cls).partition("\n\n")[0].replace("\n", " "))


def _detector(name: str, cls: type[Any]) -> Iterator[str]:
    yield from (f"## {name}", "", plain_markdown(section(cls)), "")
    yield f"- Kind of incident: {_mode(cls)}, unless `failure_mode` says otherwise."
    yield f"- Counts: {_tables(cls)}."
    yield f"- Decided: {_decided(cls)}."
    yield ""
    yield from option_table(cls, without=_unchanged(cls))
    references = section(cls, "References")
    if references:
        yield "References:"
        yield ""
        yield from _references(references)
        yield ""


def _unchanged(cls: type[Any]) -> tuple[str, ...]:
    """Return the common options that have the common default: they stand on the page once."""
    own = {option.name: option for option in dataclasses.fields(cls)}
    common = dataclasses.fields(CommonOptions)
    return tuple(
        each.name
        for each in common
        if each.name == "failure_mode" or own[each.name].default == each.default
    )


def _references(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    joined: list[str] = []
    for line in lines:
        if line.startswith(".. ["):
            joined.append(line.removeprefix(".. "))
        elif line:
            joined[-1] += f" {line}"
    return [f"- {line}" for line in joined]


def _tables(cls: type[Any]) -> str:
    """Return the tables of a detector in terms of its options."""
    needs = _example(cls).tables(Schema(columns=()))
    if not needs:
        return "nothing of its own; it reads what every baseline holds"
    return ", ".join(code(_need(need)) for need in needs)


def _decided(cls: type[Any]) -> str:
    """Return by what its series are decided unless `rule` says otherwise."""
    alone = "window by window, by rule `threshold`: no false-alarm guarantee"
    example: Any = _example(cls)
    if not example.asks:
        return alone
    without = [
        code(f"{option.name}: {value.value}")
        for option in dataclasses.fields(cls)
        if isinstance(option.default, enum.Enum)
        for value in type(option.default)
        if not dataclasses.replace(example, **{option.name: value}).asks
    ]
    return f"on evidence; with {' or '.join(without)} only {alone}" if without else "on evidence"


def _need(need: TableNeed) -> str:
    return " x ".join(_axis(axis) for axis in need)


def _axis(axis: AxisNeed) -> str:
    return axis.column if axis.bins is None else f"{axis.column} on {axis.bins} bins"


def _example(cls: type[Any]) -> Detector:
    """Return a detector whose options name columns called like the options themselves."""
    options: dict[str, object] = {}
    for option in dataclasses.fields(cls):
        needed = option.default is dataclasses.MISSING
        if needed and option.default_factory is dataclasses.MISSING:
            options[option.name] = _placeholder(cls, option.name)
    made: Detector = cls(**options)
    return made


def _placeholder(cls: type[Any], option: str) -> object:
    mark = column_options(cls).get(option)
    if isinstance(mark, CheckOption):
        return "/".join(("stage", "filter", "category")[: mark.parts])
    if isinstance(mark, ColumnOption) and mark.many:
        return (option,)
    return option
