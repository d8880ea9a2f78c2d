"""Runs what a page shows: files are written, commands and snippets run, outputs compared."""

import contextlib
import io
import re
import runpy
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.generator.blocks import Block, Command, blocks, commands_of
from monitor.__main__ import main

REPOSITORY = Path(__file__).resolve().parents[2]


class Shell:
    """The few commands that the pages use, in this process and in the current folder."""

    def __init__(self) -> None:
        self.status = 0

    def run(self, command: Command) -> str:
        words = shlex.split(command.words)
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            match words:
                case ["outputwatch", *arguments]:
                    self.status = main(arguments)
                case ["python", script]:
                    runpy.run_path(script, run_name="__main__")
                case ["head", "-n", number, file]:
                    print("\n".join(Path(file).read_text().splitlines()[: int(number)]))
                case ["echo", "$?"]:
                    print(self.status)
                case _:
                    message = f"the tests cannot run {command.words!r}; teach them"
                    raise ValueError(message)
        return output.getvalue()


def matches(shown: str, output: str) -> bool:
    """Return whether an output is what is shown; ``...`` in it stands for anything."""
    pieces = [re.escape(piece) for piece in re.split(r" ?\.\.\. ?", _lines(shown))]
    return re.fullmatch(".*".join(pieces), _lines(output), re.DOTALL) is not None


def _lines(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def run_block(block: Block, shell: Shell, names: dict[str, object]) -> str:
    """Do what one block says and return what it printed."""
    if block.title:
        Path(block.title).parent.mkdir(parents=True, exist_ok=True)
        Path(block.title).write_text(block.text, encoding="utf-8")
    elif block.language == "python":
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.text, f"line {block.line}", "exec"), names)
        return printed.getvalue()
    elif block.language == "console":
        for command in commands_of(block):
            output = shell.run(command)
            if command.output and not matches(command.output, output):
                pytest.fail(
                    f"line {block.line}: {command.words}\nshown:\n{command.output}\n"
                    f"found:\n{output}"
                )
    return ""


@pytest.fixture
def run_page(tmp_path, monkeypatch) -> Callable[..., list[str]]:
    """Return a function that runs a page's blocks in order; it returns what snippets print."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(page: Path) -> list[str]:
        shell, names = Shell(), {"__name__": "page"}
        found = blocks(page.read_text(encoding="utf-8"))
        return [run_block(block, shell, names) for block in found]

    return run


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def page_matches() -> Callable[[str, str], bool]:
    return matches
