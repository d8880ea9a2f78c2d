"""Write the reference pages that are made from the code: ``python -m docs.generate``.

With ``--check`` nothing is written; the exit status is 1 if a page is not what the code says.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from docs.generator.command_line import command_line_page
from docs.generator.configuration import configuration_page
from docs.generator.detectors import detectors_page
from docs.generator.events import moe_page, rejections_page
from docs.generator.metrics import metrics_page

__all__ = ["PAGES", "main", "outdated", "page_text"]

REFERENCE = Path(__file__).resolve().parent / "reference"

PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": command_line_page,
    "configuration.md": configuration_page,
    "detectors.md": detectors_page,
    "metrics.md": metrics_page,
    "moe-1.md": moe_page,
    "rejection-reasons.md": rejections_page,
}

_NOTE = "<!-- made by `make docs` from the code; edit the code -->"


def page_text(name: str) -> str:
    """Return what a page should hold."""
    return f"{_NOTE}\n\n{PAGES[name]().rstrip()}\n"


def outdated(folder: Path = REFERENCE) -> tuple[str, ...]:
    """Return the pages in `folder` that are not what the code says."""
    return tuple(
        name
        for name in PAGES
        if not (folder / name).is_file()
        or (folder / name).read_text(encoding="utf-8") != page_text(name)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the pages; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate")
    parser.add_argument("--check", action="store_true", help="write nothing, report differences")
    check = parser.parse_args(arguments).check
    pages = outdated()
    for name in pages:
        if not check:
            REFERENCE.mkdir(exist_ok=True)
            (REFERENCE / name).write_text(page_text(name), encoding="utf-8")
        word = "is not what the code says; run 'make docs'" if check else "written"
        sys.stderr.write(f"docs/reference/{name}: {word}\n")
    return 1 if check and pages else 0


if __name__ == "__main__":
    sys.exit(main())
