"""Templates to text: linted first, then rendered by a process with little memory and time."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Final

import annotated_types as at

from monitor.incidents.drafts.fields import DEFINITIONS, Field, Fields
from monitor.incidents.drafts.linter import TemplateError, lint
from monitor.incidents.records import to_record

__all__ = ["RenderLimits", "render", "render_unchecked", "templates_in"]

_SUFFIX: Final = ".md"
_LONGEST_TEXT: Final = 200_000
_PACKAGE: Final = "monitor.incidents.drafts"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderLimits:
    """What a template may use.

    Parameters
    ----------
    megabytes
        Address space of the process.
    cpu_seconds, seconds
        Processor time, and time by the clock.
    """

    megabytes: Annotated[int, at.Ge(64)] = 256
    cpu_seconds: Annotated[int, at.Ge(1)] = 3
    seconds: Annotated[float, at.Gt(0)] = 15.0


def templates_in(folder: Path | None = None) -> dict[str, str]:
    """Return the templates by file name: ours, and those of a folder in their place.

    Raises
    ------
    TemplateError
        If the folder is not there.
    """
    ours = {
        file.name: file.read_text(encoding="utf-8")
        for file in (files(_PACKAGE) / "templates").iterdir()
        if file.name.endswith(_SUFFIX)
    }
    if folder is None:
        return ours
    if not folder.is_dir():
        message = f"the templates must be a folder, got {str(folder)!r}"
        raise TemplateError(message)
    return ours | {
        file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob(f"*{_SUFFIX}"))
    }


def render(
    name: str,
    fields: Fields,
    *,
    templates: Mapping[str, str],
    outside: bool = False,
    limits: RenderLimits | None = None,
) -> str:
    """Return a template with its fields, each sentence with what it rests on.

    Parameters
    ----------
    name
        The file name.
    fields
        Every field of `DEFINITIONS`.
    templates
        All templates by file name.
    outside
        Whether for readers outside: what nobody signed is said to be recorded by monitoring.
    limits
        What rendering may use.

    Raises
    ------
    TemplateError
        If any template could say what no entry holds, or one needs too much time or memory.
    """
    problems = [
        problem
        for each, source in templates.items()
        for problem in lint(each, source, fields=DEFINITIONS.keys(), templates=templates.keys())
    ]
    if problems:
        message = "\n".join(
            [*map(str, problems), f"{len(problems)} problems; nothing was drafted"]
        )
        raise TemplateError(message)
    return render_unchecked(name, fields, templates=templates, outside=outside, limits=limits)


def render_unchecked(
    name: str,
    fields: Fields,
    *,
    templates: Mapping[str, str],
    outside: bool = False,
    limits: RenderLimits | None = None,
) -> str:
    """Return what `render` does, without the linter: the sandbox alone.

    Raises
    ------
    TemplateError
        If the template cannot be rendered within the limits.
    """
    allowed = limits or RenderLimits()
    request = {
        "name": name,
        "templates": dict(templates),
        "fields": {each.name: _record(each, outside=outside) for each in fields.values()},
        "megabytes": allowed.megabytes,
        "seconds": allowed.cpu_seconds,
    }
    with as_file(files(_PACKAGE) / "sandbox.py") as script:
        text = _run([sys.executable, "-I", str(script)], json.dumps(request), name, allowed)
    if len(text) > _LONGEST_TEXT:
        message = f"{name} must make at most {_LONGEST_TEXT} characters, got {len(text)}"
        raise TemplateError(message)
    return text


def _record(field: Field, *, outside: bool) -> dict[str, object]:
    observed = outside and field.observed
    return {**to_record(field), "label": field.label, "observed": observed}


def _run(command: list[str], request: str, name: str, limits: RenderLimits) -> str:
    try:
        done = subprocess.run(
            command,
            input=request,
            capture_output=True,
            text=True,
            timeout=limits.seconds,
            check=False,
            env={"PYTHONIOENCODING": "utf-8"},
        )
    except subprocess.TimeoutExpired as error:
        message = f"{name} must be rendered within {limits.seconds:g} seconds, it was stopped"
        raise TemplateError(message) from error
    if done.returncode != 0:
        last = done.stderr.strip().rpartition("\n")[2]
        reason = last or f"it was stopped by signal {-done.returncode}"
        message = (
            f"{name} cannot be rendered with {limits.megabytes} MB and {limits.cpu_seconds} "
            f"seconds: {reason[:300]}"
        )
        raise TemplateError(message)
    return done.stdout
