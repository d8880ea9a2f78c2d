"""Docstrings and JSON Schemas as Markdown."""

import inspect
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["code", "plain_markdown", "section", "table", "type_text", "value_text"]

_SECTION = re.compile(r"^(\w[\w ]*)\n-+\n", re.MULTILINE)
_BOUNDS = {
    "exclusiveMinimum": "above {}",
    "minimum": "at least {}",
    "exclusiveMaximum": "below {}",
    "maximum": "at most {}",
}


def plain_markdown(text: str) -> str:
    """Return the text of a docstring with its markup as Markdown.

    Examples
    --------
    >>> plain_markdown("as ``x`` in [1]_")
    'as `x` in [1]'
    """
    text = re.sub(r"\[(\d+)\]_", r"[\1]", text.replace("``", "`"))
    return re.sub(r"`Verdict\.(\w+)`", lambda found: f"`{found[1].lower()}`", text)


def section(cls: object, name: str = "") -> str:
    """Return one section of a docstring; without a name what stands before all sections."""
    pieces = _SECTION.split(inspect.getdoc(cls) or "")
    named = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    return (named.get(name, "") if name else pieces[0]).strip()


def code(text: str) -> str:
    """Return `text` as code, safe inside a table."""
    return f"`{text.replace('|', chr(92) + '|')}`"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; what would end a cell is escaped."""
    lines = [_line(headings), _line(["---"] * len(headings))]
    lines += [_line([cell.replace("\n", " ") for cell in row]) for row in rows]
    return [*lines, ""]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def value_text(value: object) -> str:
    """Return a default as YAML writes it."""
    if value is None:
        return "`null`"
    return code(json.dumps(value, default=_simple, ensure_ascii=False))


def _simple(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def type_text(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Return what a value must be, in words, from its JSON Schema."""
    if "$ref" in schema:
        return type_text(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        parts = [type_text(each, definitions) for each in schema["anyOf"]]
        return " or ".join(dict.fromkeys(parts))
    if "enum" in schema:
        return " or ".join(code(str(each)) for each in schema["enum"])
    if "const" in schema:
        return code(str(schema["const"]))
    kind = schema.get("type", "any")
    if kind == "array":
        return _array_text(schema, definitions)
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "`true` or `false`",
        "null": "`null`",
        "object": "mapping",
    }
    bounds = [
        words_of.format(f"{schema[bound]:g}" if schema[bound] < 1e6 else str(schema[bound]))
        for bound, words_of in _BOUNDS.items()
        if bound in schema
    ]
    if schema.get("format") == "date-time":
        return "time with its offset, as `2026-01-31T00:00:00Z`"
    text = f"{words.get(kind, kind)} {' and '.join(bounds)}".strip()
    if "maxLength" in schema:
        text += f" of at most {schema['maxLength']} character"
    return f"{text}, not empty" if schema.get("minLength") == 1 else text


def _array_text(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"list of {len(schema['prefixItems'])} numbers"
    held = type_text(schema.get("items", {}), definitions)
    least = ", at least one" if schema.get("minItems") == 1 else ""
    return f"list of {held}{least}"
