"""A validator's errors in our words: what must hold, got what was found; advice."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.config.problems import did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["Complaint", "complaint", "found", "unknown_option"]

_SHOWN_CHARACTERS = 60
_SENTENCES: dict[str, str] = {
    "string_type": "text",
    "path_type": "a path",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "enum": "{expected}",
    "literal_error": "{expected}",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "string_pattern_mismatch": "text that matches {pattern!r}",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "too_short": "a list of at least {min_length} elements",
    "too_long": "a list of at most {max_length} elements",
    "dict_type": "a mapping of options",
    "model_type": "a mapping of options",
    "dataclass_type": "a mapping of options",
    "model_attributes_type": "a mapping of options",
}
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_keyword_only_argument", "missing_argument")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One error before it has a place.

    Parameters
    ----------
    must
        What a value must be, when that is the whole complaint; else empty.
    text
        The whole message.
    missing
        Whether the option is absent.
    advice
        What to do, to append to the message.
    """

    must: str = ""
    text: str = ""
    missing: bool = False
    advice: str = ""


def found(value: object) -> str:
    """Return a value as messages show it.

    Examples
    --------
    >>> found(None), found(True), found(-0.2), found("x"), found([])
    ('null', 'true', '-0.2', "'x'", '[]')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."


def complaint(error: "ErrorDetails", known: Sequence[str]) -> Complaint:
    """Return what an error of the validator says.

    Parameters
    ----------
    error
        As the validator gives it.
    known
        The options at the place of the error, for advice about an unknown one.
    """
    kind = error["type"]
    if kind in _UNKNOWN:
        return Complaint(text=unknown_option(str(error["loc"][-1]), known))
    if kind in _MISSING:
        return Complaint(text="must be given", missing=True)
    context = error.get("ctx", {})
    if kind == "value_error":
        return Complaint(text=str(context["error"]))
    if context.get("min_length") == 1:
        kind = {"string_too_short": "empty", "too_short": "empty"}.get(kind, kind)
    if kind == "empty":
        return Complaint(text="must not be empty")
    if kind not in _SENTENCES:
        return Complaint(must=error["msg"].removeprefix("Input should be "))
    advice = _near_choice(error["input"], str(context.get("expected", "")))
    shown = {name: _plain_number(value) for name, value in context.items()}
    return Complaint(must=_SENTENCES[kind].format_map(shown), advice=advice)


def _plain_number(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else value


def unknown_option(option: str, known: Sequence[str]) -> str:
    """Return the message about an option that is not one of `known`."""
    advice = did_you_mean(option, known) or f"; options are {', '.join(known)}"
    return f"unknown option{advice}"


def _near_choice(value: object, expected: str) -> str:
    choices = re.findall(r"'([^']*)'", expected)
    return did_you_mean(value, choices) if isinstance(value, str) else ""
