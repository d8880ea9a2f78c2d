"""Tables in Markdown, and the places in a page that hold them."""

from collections.abc import Sequence
from pathlib import Path

__all__ = ["number", "replaced", "table", "written"]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; columns after the first are aligned to the right."""
    rule = [":--", *["--:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def number(value: float) -> str:
    """Return a number as people write it: three digits at most; "never" for infinity.

    Examples
    --------
    >>> number(0.0), number(3.14159), number(156.2), number(float("inf"))
    ('0', '3.1', '156', 'never')
    """
    if value == float("inf"):
        return "never"
    if value != value:
        return "-"
    if value == round(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


def replaced(text: str, name: str, content: str) -> str:
    """Return a page with the content between the marks of `name` replaced.

    Raises
    ------
    ValueError
        If the page does not have both marks once.
    """
    begin, end = f"<!-- statistics: {name} -->", f"<!-- end of {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        message = f"the page must have the marks {begin!r} and {end!r} once each; add them"
        raise ValueError(message)
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


def written(page: Path, name: str, content: str) -> None:
    """Write the content between the marks of `name` in a page."""
    page.write_text(replaced(page.read_text(encoding="utf-8"), name, content), encoding="utf-8")
