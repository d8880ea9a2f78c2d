import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Never

import pytest

from monitor import __version__, cli
from monitor.cli import run_command_line
from monitor.errors import OutputwatchError

HEAVY = (
    "alembic",
    "evidently",
    "kafka",
    "numpy",
    "pandas",
    "plotly",
    "pyarrow",
    "pydantic",
    "rich",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "yaml",
)


def verbs(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Yield the words and the parser of every command."""
    for action in parser._actions:
        for name, command in (action.choices or {}).items() if action.nargs == "A..." else ():
            yield (name,), command
            yield from (((name, *words), below) for words, below in verbs(command))


COMMANDS = dict(verbs(cli.command_parser()))


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from monitor.__main__ import main; status = main(['--help']); "
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr); sys.exit(status)"
    )

    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0
    assert finished.stdout.startswith("usage: outputwatch")
    assert finished.stderr == "[]\n"


def test_the_module_and_the_script_are_the_same_program() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "monitor", "--version"], capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0
    assert finished.stdout == f"outputwatch {__version__}\n"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(words, capsys) -> None:
    status = run_command_line([*words, "--help"])

    assert status == 0
    assert capsys.readouterr().out.startswith(f"usage: outputwatch {' '.join(words)}")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_can_be_run(words) -> None:
    parser = COMMANDS[words]

    has_commands = any(True for _ in verbs(parser))

    assert has_commands or callable(parser.get_default("run"))


@pytest.mark.parametrize(
    "arguments", [[], ["chek"], ["check"], ["baseline"], ["check", "a.yaml", "--jso"]]
)
def test_wrong_usage_is_status_2(arguments, capsys) -> None:
    status = run_command_line(arguments)

    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    assert "usage: outputwatch" in captured.err


def run_with(
    monkeypatch: pytest.MonkeyPatch, behaviour: Callable[[argparse.Namespace], int]
) -> int:
    """Run ``schema`` with another behaviour behind the verb."""
    from monitor.commands import schema

    monkeypatch.setattr(schema, "run", behaviour)
    return run_command_line(["schema"])


def test_an_error_to_act_on_is_its_message_and_status_1(monkeypatch, capsys) -> None:
    def fail(arguments) -> Never:
        message = "the disk must have room, got 0 bytes free"
        raise OutputwatchError(message)

    status = run_with(monkeypatch, fail)

    assert status == 1
    assert capsys.readouterr().err == "the disk must have room, got 0 bytes free\n"


def test_an_interruption_is_status_130(monkeypatch, capsys) -> None:
    def interrupt(arguments) -> Never:
        raise KeyboardInterrupt

    status = run_with(monkeypatch, interrupt)

    assert status == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_the_status_of_the_verb_is_that_of_the_program(monkeypatch) -> None:
    assert run_with(monkeypatch, lambda _: 3) == 3


def test_an_unexpected_error_is_not_hidden(monkeypatch) -> None:
    def break_down(arguments) -> Never:
        message = "a defect"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="a defect"):
        run_with(monkeypatch, break_down)


def test_a_reader_that_stops_early_is_no_error_message() -> None:
    reading_end, writing_end = os.pipe()
    os.close(reading_end)

    finished = subprocess.run(
        [sys.executable, "-m", "monitor", "schema"],
        stdout=writing_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    os.close(writing_end)
    assert finished.returncode == 141
    assert finished.stderr == ""


def test_the_schema_is_json(capsys) -> None:
    status = run_command_line(["schema"])

    assert status == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"
