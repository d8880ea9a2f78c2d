"""From a file to a valid configuration, or to every problem of it at once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from monitor.config.channels import read_notifiers
from monitor.config.columns import read_schema
from monitor.config.components import read_component
from monitor.config.consistency import (
    check_attributes,
    check_reference,
    check_slices,
    check_time,
)
from monitor.config.decision import DecisionSettings
from monitor.config.detectors import read_detectors
from monitor.config.document import read_document
from monitor.config.evidence import read_evidence
from monitor.config.forms import Reader
from monitor.config.messages import found, unknown_option
from monitor.config.model import (
    BaselineSettings,
    Configuration,
    DeadLetterSettings,
    DetectorEntry,
    IncidentSettings,
    SliceSettings,
)
from monitor.config.paths import read_storage, with_absolute_paths, with_secrets
from monitor.config.problems import ConfigurationError
from monitor.config.retention import RetentionSettings
from monitor.config.rolling_back import read_rollbacks
from monitor.config.running import RunSettings
from monitor.config.severity import read_severity
from monitor.incidents.roles import People
from monitor.severity.register import SystemRegister
from monitor.sources.base import registered_sources
from monitor.windows.spec import CountWindows, TumblingWindows, WindowSpec

__all__ = [
    "FORMAT_VERSION",
    "OPTIONAL_SECTIONS",
    "REQUIRED_SECTIONS",
    "WINDOWS",
    "load_configuration",
]

T = TypeVar("T")

FORMAT_VERSION = 1
REQUIRED_SECTIONS = ("version", "system", "source", "schema", "windows", "detectors")
OPTIONAL_SECTIONS = (
    "baseline",
    "slices",
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
WINDOWS: Mapping[str, type[WindowSpec]] = {"tumbling": TumblingWindows, "count": CountWindows}


def load_configuration(
    path: Path | str, *, environment: Mapping[str, str] | None = None
) -> Configuration:
    """Return the configuration in a file.

    Parameters
    ----------
    path
        A YAML file; relative paths in it start from its folder.
    environment
        What ``${NAME}`` stands for in the storage URL and in secrets; None: the
        process's environment.

    Raises
    ------
    ConfigurationError
        With every problem of the file.
    """
    reader = Reader(read_document(path))
    data = _sections(reader)
    file = Path(path).absolute()
    variables = os.environ if environment is None else environment
    parts = _parts(reader, data, file.parent, variables)
    plans = data.get("rollbacks")
    parts["rollbacks"] = read_rollbacks(reader, plans, Path(path).parent, variables)
    # A policy is told by the path from where the user stands, like the configuration itself.
    parts["severity"] = read_severity(reader, data.get("severity", {}), Path(path).parent)
    if reader.problems:
        raise ConfigurationError(reader.problems)
    for section in ("source", "baseline", "dead_letters"):
        parts[section] = with_absolute_paths(parts[section], file.parent)
    return Configuration(path=file, **parts)


def _sections(reader: Reader) -> dict[str, object]:
    data = reader.document.data
    if not isinstance(data, dict):
        reader.wrong((), f"must be a mapping of sections, got {found(data)}")
        raise ConfigurationError(reader.problems)
    version = data.get("version", FORMAT_VERSION)
    if version != FORMAT_VERSION or isinstance(version, bool):
        message = f"must be {FORMAT_VERSION}, the format that this release reads"
        reader.wrong(("version",), f"{message}, got {found(version)}")
        # What else looks wrong may be right in that format.
        raise ConfigurationError(reader.problems)
    known = (*REQUIRED_SECTIONS, *OPTIONAL_SECTIONS)
    for section in data:
        if section not in known:
            reader.wrong((section,), unknown_option(section, known))
    for section in REQUIRED_SECTIONS:
        if section not in data:
            reader.wrong((section,), "must be given", missing=True)
    return data


def _parts(
    reader: Reader, data: Mapping[str, object], folder: Path, variables: Mapping[str, str]
) -> dict[str, Any]:
    """Return every section as an object; None, after noting why, for those that are wrong."""
    attributes = _attributes(data.get("system"))
    schema = read_schema(reader, data["schema"], attributes) if "schema" in data else None
    detectors: tuple[DetectorEntry, ...] = ()
    if "detectors" in data:
        detectors = read_detectors(reader, data["detectors"], schema)
    source = _component(reader, data, "source", registered_sources())
    windows = _component(reader, data, "windows", WINDOWS)
    baseline = _section(reader, BaselineSettings, data, "baseline")
    slices = reader.read(SliceSettings, _column_lists(data.get("slices", {})), ("slices",))
    if schema is not None:
        check_time(reader, schema, windows)
        check_attributes(reader, attributes, schema)
    if schema is not None and slices is not None:
        check_slices(reader, slices, schema)
    if baseline is not None:
        check_reference(reader, baseline.reference)
    return {
        "system": _section(reader, SystemRegister, data, "system"),
        "source": with_secrets(reader, source, ("source",), variables),
        "schema": schema,
        "baseline": baseline,
        "windows": windows,
        "slices": slices,
        "detectors": detectors,
        "decision": _section(reader, DecisionSettings, data, "decision"),
        "incidents": _section(reader, IncidentSettings, data, "incidents"),
        "notifiers": read_notifiers(reader, data.get("notifiers", {}), variables),
        "storage": read_storage(reader, data.get("storage", {}), folder, variables),
        "dead_letters": _section(reader, DeadLetterSettings, data, "dead_letters"),
        "run": _section(reader, RunSettings, data, "run"),
        "retention": _section(reader, RetentionSettings, data, "retention"),
        "people": _section(reader, People, data, "people"),
        "evidence": read_evidence(reader, data.get("evidence", {}), schema),
    }


def _section(reader: Reader, cls: type[T], data: Mapping[str, object], section: str) -> T | None:
    if section in REQUIRED_SECTIONS and section not in data:
        return None
    return reader.read(cls, data.get(section, {}), (section,))


def _component(
    reader: Reader, data: Mapping[str, object], section: str, known: Mapping[str, type[T]]
) -> T | None:
    if section not in data:
        return None
    return read_component(reader, data[section], (section,), known)


def _attributes(system: object) -> tuple[str, ...]:
    """Return the protected attributes, even of a system that has other mistakes."""
    listed = system.get("protected_attributes") if isinstance(system, dict) else None
    if not isinstance(listed, list):
        return ()
    return tuple(attribute for attribute in listed if isinstance(attribute, str))


def _column_lists(slices: object) -> object:
    """Return the section with every lone column of ``by`` as a list of one."""
    by = slices.get("by") if isinstance(slices, dict) else None
    if not isinstance(slices, dict) or not isinstance(by, list):
        return slices
    return slices | {"by": [[each] if isinstance(each, str) else each for each in by]}
