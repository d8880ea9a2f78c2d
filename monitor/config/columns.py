"""The ``schema`` section: a built-in schema by name, your own columns, or both.

``schema: moe/1`` is the built-in schema, with a group column for every protected attribute of
the system. ``schema: {columns: [...]}`` is your own; ``schema: {base: moe/1, columns: [...]}``
is the built-in one with further columns.
"""

from collections.abc import Callable, Mapping, Sequence

from baselines.checks import CHECK_PREFIX
from baselines.schema import Column, Role, Schema
from monitor.adapters.moe import MOE_NAME, MOE_SCHEMA, moe_schema
from monitor.config.document import Location
from monitor.config.forms import Reader
from monitor.config.messages import found, unknown_option
from monitor.config.problems import did_you_mean

__all__ = ["BUILT_IN_SCHEMAS", "SCHEMA_OPTIONS", "read_schema"]

BUILT_IN_SCHEMAS: Mapping[str, Callable[[Sequence[str]], Schema]] = {MOE_NAME: moe_schema}
"""Schemas by name, as functions of the protected attributes."""

SCHEMA_OPTIONS = ("base", "columns", "name")

_LOCATION: Location = ("schema",)
_COLUMNS: Location = ("schema", "columns")
_SINGLE_ROLES = (Role.TIMESTAMP, Role.EVENT_ID, Role.WEIGHT)
_POSITIVE_ROLES = (Role.PREDICTION, Role.LABEL, Role.CATEGORY)


def read_schema(reader: Reader, section: object, attributes: Sequence[str]) -> Schema | None:
    """Return the schema of the document, or None after noting what is wrong.

    Parameters
    ----------
    attributes
        The protected attributes of the system: group columns of a built-in schema.
    """
    if isinstance(section, str):
        return _built_in(reader, section, _LOCATION, attributes)
    if isinstance(section, dict):
        return _own(reader, section, attributes)
    known = " or ".join(map(repr, BUILT_IN_SCHEMAS))
    message = f"must be {known} or a mapping with 'columns', got {found(section)}"
    reader.wrong(_LOCATION, message)
    return None


def _built_in(
    reader: Reader, name: object, location: Location, attributes: Sequence[str]
) -> Schema | None:
    if isinstance(name, str) and name in BUILT_IN_SCHEMAS:
        taken = [attribute for attribute in attributes if attribute in MOE_SCHEMA]
        free = [attribute for attribute in attributes if attribute not in taken]
        return BUILT_IN_SCHEMAS[name](tuple(dict.fromkeys(free)))
    known = list(BUILT_IN_SCHEMAS)
    advice = did_you_mean(name, known) if isinstance(name, str) else ""
    advice = advice or f"; built in: {', '.join(known)}"
    reader.wrong(location, f"unknown schema {found(name)}{advice}")
    return None


def _own(
    reader: Reader, section: Mapping[str, object], attributes: Sequence[str]
) -> Schema | None:
    before = len(reader.problems)
    for option in section:
        if option not in SCHEMA_OPTIONS:
            reader.wrong((*_LOCATION, option), unknown_option(option, SCHEMA_OPTIONS))
    columns = _columns(reader, section)
    inherited: tuple[Column, ...] = ()
    name = section.get("name", "custom")
    if "base" in section:
        own = {column.name for column in columns if column}
        free = [attribute for attribute in attributes if attribute not in own]
        base = _built_in(reader, section["base"], (*_LOCATION, "base"), free)
        if base is not None:
            inherited, name = base.columns, section.get("name", base.name)
    if not isinstance(name, str) or not name:
        reader.wrong((*_LOCATION, "name"), f"must be text, got {found(name)}")
    _check_unique(reader, columns, inherited)
    if len(reader.problems) > before:
        return None
    own_columns = tuple(column for column in columns if column)
    return Schema(columns=(*inherited, *own_columns), name=str(name))


def _columns(reader: Reader, section: Mapping[str, object]) -> list[Column | None]:
    entries = section.get("columns")
    if not isinstance(entries, list) or not entries:
        missing = "columns" not in section
        message = f"must be a list of at least one column, got {found(entries)}"
        reader.wrong(_COLUMNS, "must be given" if missing else message, missing=missing)
        return []
    return [_column(reader, entry, (*_COLUMNS, index)) for index, entry in enumerate(entries)]


def _column(reader: Reader, entry: object, location: Location) -> Column | None:
    column = reader.read(Column, entry, location)
    if column is None:
        return None
    if not column.name or column.name.startswith(CHECK_PREFIX):
        message = f"must not be empty or begin with {CHECK_PREFIX!r}, got {column.name!r}"
        reader.wrong((*location, "name"), message)
    if column.positive and column.role not in _POSITIVE_ROLES:
        message = f"needs the role prediction, label or category, got {column.role.value!r}"
        reader.wrong((*location, "positive"), message)
    if column.threshold is not None and column.role is not Role.PREDICTION:
        message = f"needs the role prediction, got {column.role.value!r}"
        reader.wrong((*location, "threshold"), message)
    return column


def _check_unique(
    reader: Reader, columns: Sequence[Column | None], inherited: Sequence[Column]
) -> None:
    """Note names that two columns share, and roles that only one column may have."""
    names = {column.name: "in the base schema" for column in inherited}
    roles = {column.role: "in the base schema" for column in inherited}
    for index, column in enumerate(columns):
        if column is None:
            continue
        here = (*_COLUMNS, index)
        if column.name in names:
            message = f"must be unique, {column.name!r} is also {names[column.name]}"
            reader.wrong((*here, "name"), message)
        if column.role in _SINGLE_ROLES and column.role in roles:
            message = f"must be that of one column, {column.role.value!r} is also"
            reader.wrong((*here, "role"), f"{message} {roles[column.role]}")
        names.setdefault(column.name, f"at {reader.document.place((*here, 'name'))}")
        roles.setdefault(column.role, f"at {reader.document.place((*here, 'role'))}")
