"""The page about the configuration, from the dataclasses that validate it."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from baselines.schema import Column, Role
from docs.generator.markdown import code, plain_markdown, section, table, type_text, value_text
from monitor.config.columns import BUILT_IN_SCHEMAS
from monitor.config.decision import DEFAULT_RULE, DecisionSettings, EntryDecision
from monitor.config.descriptions import described_parameters
from monitor.config.evidence import EvidenceSettings
from monitor.config.forms import form_of
from monitor.config.load import OPTIONAL_SECTIONS, REQUIRED_SECTIONS, WINDOWS
from monitor.config.model import (
    BaselineSettings,
    DeadLetterSettings,
    IncidentSettings,
    ReferenceSettings,
    SliceSettings,
    StorageSettings,
)
from monitor.config.notifying import NotifierSettings
from monitor.config.retention import RetentionSettings
from monitor.config.running import RunSettings
from monitor.config.severity import SeveritySettings
from monitor.features.registry import text_features
from monitor.incidents.business_hours import BusinessHours
from monitor.incidents.roles import People
from monitor.notifiers.base import registered_notifiers
from monitor.rollbacks.adapter import registered_adapters, registered_probes
from monitor.rollbacks.plans import PlanOptions, Release, Verification
from monitor.severity.register import SystemRegister
from monitor.sources.base import registered_sources

__all__ = ["configuration_page", "option_table"]

_SECTIONS: Mapping[str, type] = {
    "system": SystemRegister,
    "baseline": BaselineSettings,
    "baseline.reference": ReferenceSettings,
    "slices": SliceSettings,
    "decision": DecisionSettings,
    "incidents": IncidentSettings,
    "incidents.business_hours": BusinessHours,
    "notifiers": NotifierSettings,
    "storage": StorageSettings,
    "dead_letters": DeadLetterSettings,
    "run": RunSettings,
    "retention": RetentionSettings,
    "people": People,
    "severity": SeveritySettings,
    "evidence": EvidenceSettings,
}

_TYPES: Mapping[tuple[type, str], str] = {
    (SliceSettings, "by"): "list of text or of lists of text",
    (NotifierSettings, "channels"): "list of channels, see below",
}
"""Types of options that the loader reads more generously than the dataclass says."""

_ROLES: Mapping[Role, str] = {
    Role.TIMESTAMP: "when the output was made; at most one column",
    Role.EVENT_ID: "names the event; orders events of one time in windows by number; at most one",
    Role.SUBJECT: "who the output was for; read, not counted",
    Role.NUMERIC: "a number, counted on bins",
    Role.CATEGORY: "a level out of a few, counted by level",
    Role.PREDICTION: "what the model decided: levels, or a number",
    Role.SCORE: "the number that the decision rests on",
    Role.LABEL: "what turned out to be true",
    Role.TEXT: "a text that features are computed from; the text is not kept",
    Role.GROUP: "a protected attribute, or another attribute to compare people by",
    Role.SLICE: "a part of the traffic",
    Role.WEIGHT: "how many outputs the record stands for, a whole number; at most one",
    Role.SAFETY_CHECK: "verdicts of safety filters",
}


def configuration_page() -> str:
    """Return the page."""
    lines = ["# Configuration", "", *_introduction()]
    lines += _own_section("system", SystemRegister)
    lines += _components("source", registered_sources())
    lines += _schema_section()
    lines += _components("windows", WINDOWS)
    for name, cls in _SECTIONS.items():
        if name != "system":
            lines += _own_section(name, cls)
        if name == "notifiers":
            lines += _variants("channel", registered_notifiers())
            lines += _rollbacks()
    lines += [
        "## detectors",
        "",
        "A list; each entry has a `type` and the options of that detector, see",
        "[detectors](detectors.md). Beside them every entry takes `for_windows` (whole number",
        "of at least 1, default `1`): windows in a row beyond tolerance before the series fires.",
        "`name` (letters, digits, `-`, `_`, `.` and spaces, at most 40) tells the series apart",
        "from that of another entry of the same detector on the same columns, so that two rules",
        "can stand side by side: `selection_rate_gap(approved, sex) [strict]`.",
        "",
        "How the series of an entry are decided, see [evidence](../explanation/evidence.md):",
        "",
        *option_table(EntryDecision),
        "A detector that evidence cannot be gathered with says so on its page; its rule is",
        "`threshold`. `for_windows` goes with the rule `threshold` only: evidence waits by",
        "itself.",
        f"Other entries that name no rule have `{DEFAULT_RULE}`.",
        "",
        "An option that names columns, groups or checks may hold a list: one series for each.",
        'A list inside a list of groups is an intersection. `column: "*"` stands for every',
        "column of the schema that fits the option, features of text excepted.",
        "",
    ]
    return "\n".join(lines)


def _introduction() -> Iterator[str]:
    yield "A configuration is one YAML file. `outputwatch check FILE` names every mistake in it"
    yield "at once; `outputwatch schema` writes a JSON Schema for editors. Relative paths start"
    yield "from the folder of the file. Nothing is started from a file with a mistake."
    yield ""
    required = ", ".join(map(code, REQUIRED_SECTIONS))
    yield f"Sections that must be there: {required}. `version` is `1`."
    yield f"Sections that may be there: {', '.join(map(code, OPTIONAL_SECTIONS))}."
    yield ""


def _own_section(name: str, cls: type) -> Iterator[str]:
    yield from (f"## {name}", "", _in_yaml(section(cls)), "")
    yield from option_table(cls)


def _in_yaml(text: str) -> str:
    return plain_markdown(re.sub(r"\bNone\b", "`null`", text))


def _components(name: str, known: Mapping[str, type[Any]]) -> Iterator[str]:
    yield from (f"## {name}", "", "`type` chooses which.", "")
    yield from _variants(name, known)


def _variants(name: str, known: Mapping[str, type[Any]]) -> Iterator[str]:
    for type_name, cls in known.items():
        yield from (f"### {name}: {type_name}", "", plain_markdown(section(cls)), "")
        yield from option_table(cls, without=("type",))


def _rollbacks() -> Iterator[str]:
    yield "## rollbacks"
    yield ""
    yield "A list of plans that [roll back](../how-to/roll-back.md), or the name of a YAML file"
    yield "with such a list under `rollbacks`. Beside the options below a plan has an `adapter`,"
    yield "which switches, and a `probe`, which sees what is served; `type` chooses which."
    yield ""
    yield from option_table(PlanOptions)
    for name, cls in (("release", Release), ("verification", Verification)):
        yield from (f"### plan: {name}", "", plain_markdown(section(cls)), "")
        yield from option_table(cls)
    yield from _variants("adapter", registered_adapters())
    yield from _variants("probe", registered_probes())


def _schema_section() -> Iterator[str]:
    built_in = " or ".join(map(code, BUILT_IN_SCHEMAS))
    yield "## schema"
    yield ""
    yield f"Either the name of a built-in schema ({built_in}, see [moe/1](moe-1.md)), or a"
    yield "mapping with `columns` (a list of columns), and if wanted `base` (a built-in schema to"
    yield "add them to) and `name`. A built-in schema gets a group column for each of"
    yield "`system.protected_attributes`."
    yield ""
    yield "### A column"
    yield ""
    yield from option_table(Column)
    yield "### Roles"
    yield ""
    yield from table(("role", "meaning"), [(code(role), _ROLES[role]) for role in Role])
    yield "### Features of a text column"
    yield ""
    yield "A column `answer` with the role `text` gives rise to columns named `answer.<feature>`."
    yield ""
    yield from table(
        ("feature", "type", "meaning"),
        [
            (code(name), feature.dtype.value, plain_markdown(_first_line(feature.function)))
            for name, feature in text_features().items()
        ],
    )


def _first_line(function: object) -> str:
    text = section(function).partition("\n\n")[0].removeprefix("Return ")
    return text.replace("\n", " ").rstrip(".")


def option_table(cls: type, *, without: tuple[str, ...] = ()) -> list[str]:
    """Return one row for each option of a dataclass: type, default, meaning."""
    schema = form_of(cls).model_json_schema()
    definitions = schema.get("$defs", {})
    described = _meanings(cls)
    fields = form_of(cls).model_fields
    rows = []
    for option in dataclasses.fields(cls):
        if option.name in without or not option.init:
            continue
        spelled = fields[option.name].alias or option.name
        kind = _TYPES.get((cls, spelled)) or type_text(schema["properties"][spelled], definitions)
        meaning = re.sub(r"\bNone\b", "null", plain_markdown(described.get(option.name, "")))
        rows.append((code(spelled), kind, _default(option), meaning))
    return table(("option", "type", "default", "meaning"), rows)


def _meanings(cls: type) -> dict[str, str]:
    """Return the text about each option; "See the base class" gives way to the base class's."""
    meanings: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        own = described_parameters(type(base.__name__, (), {"__doc__": base.__doc__}))
        meanings |= {name: text for name, text in own.items() if not text.startswith("See `")}
    return meanings


def _default(option: "dataclasses.Field[Any]") -> str:
    if option.default is not dataclasses.MISSING:
        return value_text(option.default)
    if option.default_factory is dataclasses.MISSING:
        return "must be given"
    value = option.default_factory()
    return "see below" if type(value) in _SECTIONS.values() else value_text(value)
