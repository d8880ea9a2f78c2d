"""The JSON Schema of the configuration, from the same forms that validate it."""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from baselines.schema import Column
from detectors.options import ColumnOption, column_options
from detectors.registry import registered_detectors
from monitor.config.columns import BUILT_IN_SCHEMAS
from monitor.config.decision import DecisionSettings, EntryDecision
from monitor.config.descriptions import summary_line
from monitor.config.detectors import NAME_PATTERN
from monitor.config.evidence import EvidenceSettings
from monitor.config.forms import form_of
from monitor.config.load import FORMAT_VERSION, REQUIRED_SECTIONS, WINDOWS
from monitor.config.model import (
    BaselineSettings,
    DeadLetterSettings,
    IncidentSettings,
    SliceSettings,
    StorageSettings,
)
from monitor.config.notifying import NotifierSettings
from monitor.config.retention import RetentionSettings
from monitor.config.running import RunSettings
from monitor.config.severity import SeveritySettings
from monitor.incidents.roles import People
from monitor.notifiers.base import registered_notifiers
from monitor.rollbacks.adapter import registered_adapters, registered_probes
from monitor.rollbacks.plans import PlanOptions
from monitor.severity.register import SystemRegister
from monitor.sources.base import registered_sources

__all__ = ["configuration_schema"]

JsonSchema = dict[str, Any]

_SECTIONS: Mapping[str, type] = {
    "system": SystemRegister,
    "baseline": BaselineSettings,
    "slices": SliceSettings,
    "decision": DecisionSettings,
    "incidents": IncidentSettings,
    "notifiers": NotifierSettings,
    "storage": StorageSettings,
    "dead_letters": DeadLetterSettings,
    "run": RunSettings,
    "retention": RetentionSettings,
    "people": People,
    "severity": SeveritySettings,
    "evidence": EvidenceSettings,
}
_ORDER = (
    "version",
    "system",
    "source",
    "schema",
    "baseline",
    "windows",
    "slices",
    "detectors",
    "decision",
    "incidents",
    "notifiers",
    "rollbacks",
    "storage",
    "dead_letters",
    "run",
    "retention",
    "people",
    "severity",
    "evidence",
)


def configuration_schema() -> JsonSchema:
    """Return a schema of JSON Schema 2020-12 that every valid configuration fulfils.

    What needs more than one option to decide (does a column exist, is a series unique) is
    left to ``outputwatch check``.
    """
    kinds = {
        "source": registered_sources(),
        "windows": WINDOWS,
        "detectors": registered_detectors(),
        "notifiers": registered_notifiers(),
        "adapter": registered_adapters(),
        "probe": registered_probes(),
    }
    classes = [
        *_SECTIONS.values(),
        Column,
        EntryDecision,
        PlanOptions,
        *(cls for kind in kinds.values() for cls in kind.values()),
    ]
    by_class, definitions = _schemas(classes)
    properties = {name: by_class[cls] for name, cls in _SECTIONS.items()}
    properties["version"] = {"const": FORMAT_VERSION}
    properties["schema"] = _schema_section(by_class[Column])
    properties["slices"] = _with_lone_columns(by_class[SliceSettings])
    for section in ("source", "windows"):
        variants = [_typed(by_class[cls], name, cls) for name, cls in kinds[section].items()]
        properties[section] = {"anyOf": variants}
    channels = [_typed(by_class[cls], name, cls) for name, cls in kinds["notifiers"].items()]
    properties["notifiers"] = _with_channels(by_class[NotifierSettings], channels)
    parts = {
        part: [_typed(by_class[cls], name, cls) for name, cls in kinds[part].items()]
        for part in ("adapter", "probe")
    }
    properties["rollbacks"] = _plans_or_file(by_class[PlanOptions], parts)
    decision = by_class[EntryDecision]["properties"]
    entries = [
        _entry(by_class[cls], name, cls, decision) for name, cls in kinds["detectors"].items()
    ]
    properties["detectors"] = {"type": "array", "minItems": 1, "items": {"anyOf": entries}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of outputwatch",
        "type": "object",
        "required": list(REQUIRED_SECTIONS),
        "additionalProperties": False,
        "properties": {name: properties[name] for name in _ORDER},
        "$defs": definitions,
    }


def _schemas(classes: list[type]) -> tuple[dict[type, JsonSchema], JsonSchema]:
    """Return the schema of each class, and the definitions that they refer to."""
    forms = {cls: form_of(cls) for cls in classes}
    made, rest = models_json_schema([(form, "validation") for form in forms.values()])
    definitions: JsonSchema = rest.get("$defs", {})
    by_class: dict[type, JsonSchema] = {}
    for cls, form in forms.items():
        reference: str = made[form, "validation"]["$ref"]
        by_class[cls] = definitions[reference.rpartition("/")[2]]
    used = {id(schema) for schema in by_class.values()}
    return by_class, {name: each for name, each in definitions.items() if id(each) not in used}


def _schema_section(column: JsonSchema) -> JsonSchema:
    built_in = {"enum": list(BUILT_IN_SCHEMAS)}
    columns = {"type": "array", "minItems": 1, "items": column}
    own = {
        "type": "object",
        "required": ["columns"],
        "additionalProperties": False,
        "properties": {"base": built_in, "columns": columns, "name": {"type": "string"}},
    }
    return {"anyOf": [built_in, own]}


def _with_lone_columns(slices: JsonSchema) -> JsonSchema:
    by = slices["properties"]["by"]
    by = by | {"items": {"anyOf": [{"type": "string"}, by["items"]]}}
    return slices | {"properties": slices["properties"] | {"by": by}}


def _with_channels(notifiers: JsonSchema, channels: list[JsonSchema]) -> JsonSchema:
    listed = notifiers["properties"]["channels"] | {"items": {"anyOf": channels}}
    return notifiers | {"properties": notifiers["properties"] | {"channels": listed}}


def _plans_or_file(plan: JsonSchema, parts: Mapping[str, list[JsonSchema]]) -> JsonSchema:
    variants = {part: {"anyOf": each} for part, each in parts.items()}
    whole = plan | {
        "properties": plan["properties"] | variants,
        "required": [*plan["required"], *parts],
    }
    file = {"type": "string", "minLength": 1, "description": "A YAML file with the plans."}
    return {"anyOf": [{"type": "array", "items": whole}, file]}


def _typed(schema: JsonSchema, name: str, cls: type) -> JsonSchema:
    """Return the schema of a component that is chosen by ``type``."""
    properties = {"type": {"const": name}} | {
        option: each for option, each in schema["properties"].items() if option != "type"
    }
    required = ["type", *(option for option in schema.get("required", ()) if option != "type")]
    described = {"title": name, "description": summary_line(cls)}
    return schema | described | {"properties": properties, "required": required}


def _entry(schema: JsonSchema, name: str, cls: type, decision: JsonSchema) -> JsonSchema:
    """Return the schema of a detector's entry, whose naming options may be plural."""
    typed = _typed(schema, name, cls)
    properties = typed["properties"]
    for option, mark in column_options(cls).items():
        one = properties[option]
        if isinstance(mark, ColumnOption) and mark.many:
            properties[option] = {"anyOf": [one, {"type": "string"}]}
        else:
            properties[option] = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    properties["name"] = {
        "type": "string",
        "pattern": f"^{NAME_PATTERN}$",
        "description": "Tells the series apart from others of the detector on these columns.",
    }
    properties |= decision
    properties["for_windows"] = {
        "type": "integer",
        "minimum": 1,
        "default": 1,
        "description": "Windows in a row beyond tolerance before the series fires.",
    }
    return typed
