"""The fenced blocks of a Markdown page, for the tests that run what the pages show."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Block", "Command", "blocks", "commands_of"]

_FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block.

    Parameters
    ----------
    language
        The first word after the fence.
    title
        The file that the block is the content of; empty for other blocks.
    text
        What stands between the fences.
    line
        The line of the opening fence, from 1.
    """

    language: str
    title: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a ``console`` block and the output that is shown below it."""

    words: str
    output: str


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page, in order.

    Raises
    ------
    ValueError
        If a fence is never closed.
    """
    opened: tuple[str, str, int] | None = None
    content: list[str] = []
    for number, line in enumerate(page.splitlines(), start=1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened, content = (fence[1], fence[2] or "", number), []
        elif opened is not None and line.rstrip() == "```":
            text = "\n".join(content) + "\n"
            yield Block(language=opened[0], title=opened[1], text=text, line=opened[2])
            opened = None
        else:
            content.append(line)
    if opened is not None:
        message = f"the fence of line {opened[2]} is never closed"
        raise ValueError(message)


def commands_of(block: Block) -> Iterator[Command]:
    r"""Yield the commands of a ``console`` block: lines after ``$``, joined after a backslash.

    Examples
    --------
    >>> block = Block(language="console", title="", text="$ one \\\n  two\nout\n", line=1)
    >>> list(commands_of(block))
    [Command(words='one two', output='out\n')]
    """
    words, output, goes_on = "", "", False
    for line in block.text.splitlines():
        if goes_on:
            words += f" {line.strip()}"
        elif line.startswith("$ "):
            if words:
                yield Command(words, output)
            words, output = line[2:].strip(), ""
        else:
            output += f"{line}\n"
        goes_on = words.endswith("\\") and not output
        words = words.removesuffix("\\").rstrip() if goes_on else words
    if words:
        yield Command(words, output)
