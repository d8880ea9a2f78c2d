"""Reads the ``rollbacks`` section: plans in the document, or in a file that it names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from monitor.config.components import read_component
from monitor.config.document import Location, read_document
from monitor.config.forms import Reader
from monitor.config.messages import found, unknown_option
from monitor.config.paths import with_secrets
from monitor.config.problems import ConfigurationError
from monitor.rollbacks.adapter import registered_adapters, registered_probes
from monitor.rollbacks.plans import PlanOptions, RollbackPlan

__all__ = ["SECTION", "read_rollbacks"]

SECTION: Final = "rollbacks"
_PARTS: Final = ("adapter", "probe")


def read_rollbacks(
    reader: Reader, section: object, folder: Path, environment: Mapping[str, str]
) -> tuple[RollbackPlan, ...]:
    """Return the plans of a section, after noting what is wrong with others.

    Parameters
    ----------
    section
        A list of plans, or the name of a YAML file whose ``rollbacks`` is one, so that several
        monitors can share it.
    folder
        Where such a file is looked for.
    environment
        What ``${NAME}`` stands for in secrets.
    """
    if section is None:
        return ()
    if isinstance(section, str):
        return _of_file(reader, folder / section, environment)
    return _plans(reader, section, environment)


def _of_file(
    reader: Reader, path: Path, environment: Mapping[str, str]
) -> tuple[RollbackPlan, ...]:
    try:
        other = Reader(read_document(path))
    except ConfigurationError as error:
        reader.problems.extend(error.problems)
        return ()
    data = other.document.data
    plans: tuple[RollbackPlan, ...] = ()
    if not isinstance(data, dict) or SECTION not in data:
        other.wrong((SECTION,), "must be given: a list of plans", missing=True)
    else:
        for name in data:
            if name != SECTION:
                other.wrong((name,), unknown_option(name, [SECTION]))
        plans = _plans(other, data[SECTION], environment)
    reader.problems.extend(other.problems)
    return plans


def _plans(
    reader: Reader, section: object, environment: Mapping[str, str]
) -> tuple[RollbackPlan, ...]:
    if not isinstance(section, list):
        message = f"must be a list of plans, or the name of a file with one, got {found(section)}"
        reader.wrong((SECTION,), message)
        return ()
    plans: list[RollbackPlan] = []
    for index, each in enumerate(section):
        here = (SECTION, index)
        plan = _plan(reader, each, here, environment)
        if plan is None:
            continue
        if plan.name in {other.name for other in plans}:
            message = f"must be another name than every other plan's, got {plan.name!r}"
            reader.wrong((*here, "name"), message)
        plans.append(plan)
    return tuple(plans)


def _plan(
    reader: Reader, section: object, here: Location, environment: Mapping[str, str]
) -> RollbackPlan | None:
    if not isinstance(section, dict):
        reader.wrong(here, f"must be a mapping of options, got {found(section)}")
        return None
    known: Mapping[str, Mapping[str, type[Any]]] = {
        "adapter": registered_adapters(),
        "probe": registered_probes(),
    }
    parts: dict[str, Any] = {}
    for part in _PARTS:
        if part not in section:
            reader.wrong((*here, part), "must be given", missing=True)
            continue
        component = read_component(reader, section[part], (*here, part), known[part])
        parts[part] = with_secrets(reader, component, (*here, part), environment)
    rest = {option: value for option, value in section.items() if option not in _PARTS}
    options = reader.read(PlanOptions, rest, here, besides=_PARTS)
    if options is None or any(parts.get(part) is None for part in _PARTS):
        return None
    return RollbackPlan(options=options, adapter=parts["adapter"], probe=parts["probe"])
