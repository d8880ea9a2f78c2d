"""Paths relative to the configuration's folder, the storage URL, and secrets."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from monitor.config.document import Location
from monitor.config.forms import Reader
from monitor.config.model import StorageSettings

__all__ = ["read_storage", "with_absolute_paths", "with_secrets"]

T = TypeVar("T")

_PATH_OPTIONS = ("path", "paths")
_VARIABLE = re.compile(r"\$\{([^}]*)\}?")
_URL = re.compile(r"^[a-z][a-z0-9]*(?:\+[a-z0-9_]+)?://")
_DIALECTS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
_SQLITE_FILE = re.compile(r"^(sqlite(?:\+[a-z0-9_]+)?:///)(?!/|:memory:|file:)(.+)$")


def with_absolute_paths(section: T, folder: Path) -> T:
    """Return a section whose paths are joined to `folder` unless they are absolute.

    Paths are the options that hold a `pathlib.Path`, and text options called ``path`` or
    ``paths``; sections within the section are treated alike. A text option that is a URL
    (``scheme://``) is left as it is.

    Examples
    --------
    >>> from monitor.config.model import ReferenceSettings
    >>> with_absolute_paths(ReferenceSettings(paths=("may/*.csv",)), Path("/logs")).paths
    ('/logs/may/*.csv',)
    """
    changes: dict[str, object] = {}
    options: Any = section
    for option in dataclasses.fields(options):
        value = getattr(section, option.name)
        if dataclasses.is_dataclass(value):
            changes[option.name] = with_absolute_paths(value, folder)
        elif isinstance(value, Path):
            changes[option.name] = folder / value
        elif option.name in _PATH_OPTIONS:
            changes[option.name] = _absolute(value, folder)
    moved: T = dataclasses.replace(options, **changes)
    return moved


def _absolute(value: object, folder: Path) -> object:
    if isinstance(value, str):
        return value if _URL.match(value) else str(folder / value)
    if isinstance(value, tuple):
        return tuple(_absolute(each, folder) for each in value)
    return value


def read_storage(
    reader: Reader, section: object, folder: Path, environment: Mapping[str, str]
) -> StorageSettings | None:
    """Return the storage section with variables filled in and SQLite's file made absolute."""
    settings = reader.read(StorageSettings, section, ("storage",))
    if settings is None:
        return None
    before = len(reader.problems)
    url = _filled_in(reader, settings.url, ("storage", "url"), environment)
    if len(reader.problems) > before:
        return None
    if not _URL.match(url):
        message = "must be a database URL such as 'sqlite:///outputwatch.db', got <secret>"
        reader.wrong(("storage", "url"), message)
        return None
    dialect = url.partition("://")[0]
    if dialect not in _DIALECTS:
        message = (
            "must begin with 'sqlite:///' or 'postgresql://', the databases that can be written"
        )
        reader.wrong(("storage", "url"), f"{message}, got {dialect!r}")
        return None
    return StorageSettings(url=_SQLITE_FILE.sub(lambda m: f"{m[1]}{folder / m[2]}", url))


def with_secrets(
    reader: Reader, section: T | None, location: Location, environment: Mapping[str, str]
) -> T | None:
    """Return a section whose secret options have ``${NAME}`` filled in; None if one is wrong.

    Secret are the text options that do not show in the section's `repr`. Those with
    ``metadata={"by_reference": True}`` must name a variable; the file holds no secret then.

    Parameters
    ----------
    location
        Where the section stands.
    """
    if section is None:
        return None
    before = len(reader.problems)
    changes: dict[str, object] = {}
    options: Any = section
    for option in dataclasses.fields(options):
        value = getattr(section, option.name)
        here = (*location, option.name)
        if not option.repr and isinstance(value, str):
            if value and option.metadata.get("by_reference") and not _VARIABLE.search(value):
                reader.wrong(here, "must name a variable as ${NAME}, got <secret>")
            changes[option.name] = _filled_in(reader, value, here, environment)
        elif dataclasses.is_dataclass(value):
            changes[option.name] = with_secrets(reader, value, here, environment)
    if len(reader.problems) > before:
        return None
    try:
        filled: T = dataclasses.replace(options, **changes)
    except ValueError as error:
        reader.wrong(location, str(error))
        return None
    return filled


def _filled_in(
    reader: Reader, text: str, location: Location, environment: Mapping[str, str]
) -> str:
    return _VARIABLE.sub(lambda found: _variable(reader, found, location, environment), text)


def _variable(
    reader: Reader, found: re.Match[str], location: Location, environment: Mapping[str, str]
) -> str:
    """Return what ``${NAME}`` stands for, or nothing after noting what is wrong with it."""
    name = found[1]
    if not found[0].endswith("}") or not name.isidentifier():
        reader.wrong(location, "must name a variable as ${NAME}, got <secret>")
        return ""
    if name not in environment:
        message = f"environment variable {name!r} must be set, it is used here"
        reader.wrong(location, message)
        return ""
    return environment[name]
