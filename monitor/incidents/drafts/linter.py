"""Refuses templates that could say what nobody recorded: an allowlist over the syntax tree."""

import string
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes

from monitor.errors import OutputwatchError

__all__ = ["LONGEST_TEMPLATE", "LintProblem", "TemplateError", "lint"]

LONGEST_TEMPLATE: Final = 20_000
"""Characters of a template."""

_QUANTITIES: Final = frozenset(
    {
        "zero",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "dozen",
        "dozens",
        "hundred",
        "hundreds",
        "thousand",
        "thousands",
        "million",
        "millions",
        "billion",
        "billions",
        "percent",
        "half",
        "third",
        "quarter",
        "majority",
        "minority",
        "most",
        "nobody",
        "everybody",
        "everyone",
        "none",
        "few",
        "several",
        "many",
        "hardly",
        "rarely",
    }
)
_WHY: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Filter: "a filter can put words in the place of a missing fact",
    nodes.Or: "'or' hides a missing fact",
    nodes.And: "logic on facts hides a missing one",
    nodes.CondExpr: "a choice hides a missing fact",
    nodes.Concat: "text is not joined outside of say()",
    nodes.Assign: "'set' makes a value that no entry holds",
    nodes.AssignBlock: "'set' makes a value that no entry holds",
    nodes.For: "a loop can write what no entry holds",
    nodes.Macro: "a macro hides what is said",
    nodes.CallBlock: "a call block hides what is said",
    nodes.Import: "only files of the folder are included",
    nodes.FromImport: "only files of the folder are included",
    nodes.Extends: "only files of the folder are included",
    nodes.Getattr: "facts have no attributes",
    nodes.Getitem: "facts have no items",
    nodes.FilterBlock: "a filter can put words in the place of a missing fact",
    nodes.With: "'with' makes a value that no entry holds",
    nodes.Const: "a literal stands outside of say()",
    nodes.Name: "a fact is named inside say() only",
    nodes.Compare: "comparing facts can hide a missing one",
    nodes.Test: "tests on facts can hide a missing one; use known()",
}


class TemplateError(OutputwatchError):
    """A template could say what no entry holds, or cannot be rendered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LintProblem:
    """One place of a template that is not allowed."""

    template: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.template}:{self.line}: {self.reason}"


def lint(
    name: str, source: str, *, fields: Collection[str], templates: Collection[str]
) -> tuple[LintProblem, ...]:
    """Return every place of a template that could say what no entry holds.

    Allowed are headings and bullets without digits and words of quantity, ``{{ say("...") }}``
    with one sentence that names at least one field in braces, ``{% if known("field") %}``,
    also with ``not``, and ``{% include "file" %}`` of the same folder. Everything else is
    refused, also what nobody has thought of yet.

    Parameters
    ----------
    name, source
        The template.
    fields
        The fields that sentences can name.
    templates
        The files that can be included.
    """
    if len(source) > LONGEST_TEMPLATE:
        reason = f"a template has at most {LONGEST_TEMPLATE} characters, got {len(source)}"
        return (LintProblem(template=name, line=1, reason=reason),)
    try:
        # Parsing neither runs nor folds anything.
        tree = Environment(autoescape=False).parse(source)
    except TemplateSyntaxError as error:
        return (LintProblem(template=name, line=error.lineno, reason=str(error.message)),)
    except RecursionError:
        return (LintProblem(template=name, line=1, reason="it is nested too deeply"),)
    return tuple(
        LintProblem(template=name, line=line, reason=reason)
        for line, reason in _statements(tree.body, frozenset(fields), frozenset(templates))
    )


def _statements(
    body: list[nodes.Node], fields: frozenset[str], templates: frozenset[str]
) -> Iterator[tuple[int, str]]:
    for node in body:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                yield from _output(part, fields)
        elif isinstance(node, nodes.If):
            yield from _condition(node.test, fields)
            for branch in node.elif_:
                yield from _condition(branch.test, fields)
                yield from _statements(branch.body, fields, templates)
            yield from _statements([*node.body, *node.else_], fields, templates)
        elif isinstance(node, nodes.Include):
            yield from _include(node, templates)
        else:
            yield _refused(node)


def _output(node: nodes.Node, fields: frozenset[str]) -> Iterator[tuple[int, str]]:
    if isinstance(node, nodes.TemplateData):
        yield from _plain_text(node)
    elif isinstance(node, nodes.Call):
        yield from _call(node, "say", fields)
    else:
        yield _refused(node)


def _condition(node: nodes.Node, fields: frozenset[str]) -> Iterator[tuple[int, str]]:
    if isinstance(node, nodes.Not):
        node = node.node
    if isinstance(node, nodes.Call):
        yield from _call(node, "known", fields)
    else:
        yield _refused(node)


def _call(node: nodes.Call, wanted: str, fields: frozenset[str]) -> Iterator[tuple[int, str]]:
    called = node.node.name if isinstance(node.node, nodes.Name) else None
    if called != wanted:
        yield node.lineno, f"only {wanted}() is called here, got {called or 'an expression'!r}"
        return
    words = node.args[0] if len(node.args) == 1 else None
    extra = node.kwargs or node.dyn_args or node.dyn_kwargs
    if extra or not isinstance(words, nodes.Const) or not isinstance(words.value, str):
        yield node.lineno, f"{wanted}() takes one literal text and nothing else"
    elif wanted == "known":
        if words.value not in fields:
            yield node.lineno, f"unknown field {words.value!r}"
    else:
        yield from ((node.lineno, reason) for reason in _sentence(words.value, fields))


def _sentence(text: str, fields: frozenset[str]) -> Iterator[str]:
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as error:
        yield f"braces hold the name of a field: {error}"
        return
    names = [name for _, name, _, _ in pieces if name is not None]
    if not names:
        yield "a sentence names at least one field in braces; words alone cite nothing"
    for name in names:
        if name not in fields:
            yield f"unknown field {name!r}"
    if any(spec or conversion for _, _, spec, conversion in pieces):
        yield "fields are shown as they are, without a format"
    for literal, _, _, _ in pieces:
        yield from _invented(literal)
    if "\n" in text:
        yield "a sentence stands on one line"


def _plain_text(node: nodes.TemplateData) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(node.data.split("\n")):
        words = line.strip()
        if words and words != "-" and not words.startswith("#"):
            yield node.lineno + number, f"outside of say() stand headings only, got {words[:40]!r}"
        for reason in _invented(words):
            yield node.lineno + number, reason


def _invented(text: str) -> Iterator[str]:
    if any(character.isnumeric() for character in text):
        yield f"a template holds no digits, got {text.strip()[:40]!r}"
    if "[" in text or "]" in text:
        yield "brackets are for citations, which the program writes"
    words = "".join(each if each.isalpha() else " " for each in text.casefold()).split()
    for word in sorted(_QUANTITIES.intersection(words)):
        yield f"a template holds no quantities, got {word!r}"


def _include(node: nodes.Include, templates: frozenset[str]) -> Iterator[tuple[int, str]]:
    file = node.template.value if isinstance(node.template, nodes.Const) else None
    if file not in templates:
        yield node.lineno, f"only files of the folder are included, got {file!r}"


def _refused(node: nodes.Node) -> tuple[int, str]:
    reason = _WHY.get(type(node), "it can make what no entry holds")
    if isinstance(node, nodes.BinExpr):
        reason = _WHY.get(type(node), "arithmetic makes numbers that no entry holds")
    return node.lineno, f"{type(node).__name__.lower()}: {reason}"
