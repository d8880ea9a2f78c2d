"""A YAML document as plain values, each with its place."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from monitor.config.problems import ConfigurationError, Place, Problem

__all__ = ["Document", "Location", "option_name", "parse_document", "read_document"]

Location: TypeAlias = tuple[str | int, ...]
"""Keys and list positions that lead from the root of the document to a value."""

_NULL = "tag:yaml.org,2002:null"
_BOOL = "tag:yaml.org,2002:bool"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_STR = "tag:yaml.org,2002:str"


class _CoreLoader(yaml.SafeLoader):
    """Reads scalars as YAML 1.2 does: ``no`` is text and ``2026-01-31`` is no date."""


_CoreLoader.yaml_implicit_resolvers = {}
_DIGITS = "-+0123456789"
_SCALARS = (
    (_NULL, r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    (_BOOL, r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    (_INT, r"^[-+]?[0-9]+$", list(_DIGITS)),
    (_FLOAT, r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", [*_DIGITS, "."]),
)
for _tag, _pattern, _first in _SCALARS:
    _CoreLoader.add_implicit_resolver(_tag, re.compile(_pattern), _first)


@dataclass(slots=True)
class Document:
    """What a file holds.

    Parameters
    ----------
    file
        The path as the user gave it.
    data
        Mappings, lists, text, numbers, booleans and None.
    marks
        Line and column, from 1, of each key (in a mapping) or value (in a list).
    problems
        Mistakes that leave the rest of the document readable.
    """

    file: str
    data: object = None
    marks: dict[Location, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, location: Location, *, missing: bool = False) -> Place:
        """Return the place of the value at `location`, or of the nearest one above it.

        With `missing`, the option's name keeps the first key that the document lacks.
        """
        known = location
        while known and known not in self.marks:
            known = known[:-1]
        line, column = self.marks.get(known, (1, 1))
        shown = location[: len(known) + 1] if missing else known
        return Place(file=self.file, line=line, column=column, option=option_name(shown))


def option_name(location: Location) -> str:
    """Return how messages write a location.

    Examples
    --------
    >>> option_name(("detectors", 0, "column"))
    'detectors[0].column'
    """
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).removeprefix(".")


def read_document(path: Path | str) -> Document:
    """Return the document in a file.

    Raises
    ------
    ConfigurationError
        If the file cannot be read or is not one YAML document.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "bytes that are not UTF-8"
        place = Place(file=str(path), line=1, column=1)
        message = f"must be a readable text file, got {reason}"
        raise ConfigurationError([Problem(place, message)]) from error
    return parse_document(text, str(path))


def parse_document(text: str, file: str) -> Document:
    """Return the document that `text` holds.

    Raises
    ------
    ConfigurationError
        If it is not one YAML document.
    """
    document = Document(file)
    try:
        node = yaml.compose(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError([_syntax_problem(error, file)]) from error
    except yaml.YAMLError as error:
        message = f"must be readable as YAML, got {' '.join(str(error).split())}"
        place = Place(file=file, line=1, column=1)
        raise ConfigurationError([Problem(place, message)]) from error
    if node is not None:
        document.data = _Reader(document).value(node, (), ())
    return document


def _syntax_problem(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    found = " ".join(filter(None, [error.context, error.problem]))
    advice = "; a tab cannot indent, use spaces" if r"'\t'" in found else ""
    place = Place(file=file, line=line, column=column)
    return Problem(place, f"must be readable as YAML: {found}{advice}")


class _Reader:
    """Turns nodes into values and notes where each one stands."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def value(self, node: yaml.Node, location: Location, above: tuple[yaml.Node, ...]) -> object:
        if location and location not in self._document.marks:
            self._mark(location, node)
        if any(node is ancestor for ancestor in above):
            self._wrong(node, location, "must not contain itself through an alias")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location, (*above, node))
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(item, (*location, index), (*above, node))
                for index, item in enumerate(node.value)
            ]
        return self._scalar(node, location)

    def _mapping(
        self, node: yaml.MappingNode, location: Location, above: tuple[yaml.Node, ...]
    ) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if key_node.tag != _STR or not isinstance(key, str):
                shown = repr(key) if isinstance(key, str) else "a list or mapping"
                self._wrong(key_node, location, f"option names must be text, got {shown}")
                continue
            here = (*location, key)
            if key in values:
                first = self._document.place(here)
                message = f"must be given once, is also at {first}; keep one"
                self._wrong(key_node, here, message)
                continue
            self._mark(here, key_node)
            values[key] = self.value(value_node, here, above)
        return values

    def _scalar(self, node: yaml.Node, location: Location) -> object:
        text: str = node.value
        if node.tag == _STR:
            return text
        if node.tag == _NULL:
            return None
        if node.tag == _BOOL:
            return text.lower() == "true"
        if node.tag in (_INT, _FLOAT):
            return int(text) if node.tag == _INT else float(text)
        self._wrong(node, location, f"must be plain YAML, got the tag {node.tag!r}")
        return None

    def _mark(self, location: Location, node: yaml.Node) -> None:
        mark = node.start_mark
        self._document.marks[location] = (mark.line + 1, mark.column + 1)

    def _wrong(self, node: yaml.Node, location: Location, message: str) -> None:
        mark = node.start_mark
        place = Place(
            file=self._document.file,
            line=mark.line + 1,
            column=mark.column + 1,
            option=option_name(location),
        )
        self._document.problems.append(Problem(place, message))
