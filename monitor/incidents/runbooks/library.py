"""The runbooks that come with the program, and those of a folder in their place."""

import functools
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml
from pydantic import ValidationError

from detectors.base import FailureMode
from monitor.incidents.records import from_record
from monitor.incidents.runbooks.model import Runbook, RunbookError

__all__ = ["runbooks", "runbooks_in"]

_SUFFIX = ".yaml"


@functools.cache
def runbooks() -> Mapping[FailureMode, Runbook]:
    """Return our runbook of each failure mode.

    Raises
    ------
    RunbookError
        If a file is wrong, or a failure mode has none.
    """
    found = dict(_read(files("monitor.incidents.runbooks") / "data"))
    lacking = [mode.value for mode in FailureMode if mode not in found]
    if lacking:
        message = f"every failure mode must have a runbook, none is there for {lacking[0]!r}"
        raise RunbookError(message)
    return found


def runbooks_in(folder: Path | None) -> Mapping[FailureMode, Runbook]:
    """Return ours, and those of a folder in their place.

    Raises
    ------
    RunbookError
        If the folder is not there, or a file is wrong.
    """
    if folder is None:
        return runbooks()
    if not folder.is_dir():
        message = f"the runbooks must be in a folder, got {str(folder)!r}"
        raise RunbookError(message)
    return {**runbooks(), **dict(_read(folder))}


def _read(place: Traversable) -> Iterator[tuple[FailureMode, Runbook]]:
    for file in sorted(place.iterdir(), key=lambda each: each.name):
        if not file.name.endswith(_SUFFIX):
            continue
        try:
            made = from_record(Runbook, yaml.safe_load(file.read_text(encoding="utf-8")))
        except (ValidationError, TypeError, ValueError, yaml.YAMLError) as error:
            message = f"{file.name} is no valid runbook: {error}"
            raise RunbookError(message) from error
        if file.name != f"{made.failure_mode.value}{_SUFFIX}":
            message = (
                f"{file.name} must be called {made.failure_mode.value}{_SUFFIX}, after the "
                "failure mode that it is for"
            )
            raise RunbookError(message)
        yield made.failure_mode, made
