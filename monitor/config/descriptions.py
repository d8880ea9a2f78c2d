"""What the docstrings say about options."""

import inspect
import re

__all__ = ["described_parameters", "summary_line"]

_SECTION = re.compile(r"^(\w[\w ]*)\n-+\n", re.MULTILINE)


def summary_line(cls: type) -> str:
    """Return the first sentence of a class's docstring."""
    return (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")


def described_parameters(cls: type) -> dict[str, str]:
    """Return the text about each parameter, base classes' docstrings included.

    Examples
    --------
    >>> from monitor.windows.spec import CountWindows
    >>> described_parameters(CountWindows)["rows"].split(".")[0]
    'Events in a window'
    """
    described: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        described.update(_parameters(base.__dict__.get("__doc__") or ""))
    return described


def _parameters(docstring: str) -> dict[str, str]:
    pieces = _SECTION.split(inspect.cleandoc(docstring))
    sections = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    described: dict[str, str] = {}
    names: list[str] = []
    for line in sections.get("Parameters", "").splitlines():
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.partition(" : ")[0].split(",")]
            described.update(dict.fromkeys(names, ""))
        else:
            for name in names:
                described[name] = f"{described[name]} {line.strip()}".strip()
    return described
