"""The page about the command line, from its parser."""

import argparse
from collections.abc import Iterator

from docs.generator.markdown import code, plain_markdown, table
from monitor.cli import command_parser

__all__ = ["command_line_page", "commands"]

_INTRODUCTION = """\
Results go to standard output, talk goes to standard error. Every command that writes a result
takes `--json`. `python -m monitor` is the same program as `outputwatch`.

| exit status | meaning |
|---|---|
| 0 | fine |
| 1 | failed; the message says what must hold, what was found and what to do |
| 2 | wrong usage |
| 3 | finished, and incidents were opened or are still open |
| 130, 141 | interrupted; the reader of the output went away |
"""


def commands(
    parser: argparse.ArgumentParser, help_text: str = ""
) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """Yield every command that can be run, with its line of help, in order of name."""
    inner = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not inner:
        yield parser, help_text
    for action in inner:
        helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, command in action.choices.items():
            yield from commands(command, helps[name])


def command_line_page() -> str:
    """Return the page."""
    found = list(commands(command_parser()))
    lines = ["# Command line", "", _INTRODUCTION]
    lines += table(
        ("command", "what it does"),
        [(f"[`{c.prog}`](#{_anchor(c)})", plain_markdown(text)) for c, text in found],
    )
    for command, text in found:
        lines += [f"## {command.prog}", "", f"{text[:1].upper()}{text[1:]}.", ""]
        lines += ["```", _usage(command), "```", ""]
        lines += [f"Exactly one of {names} must be given.\n" for names in _choices(command)]
        lines += table(("argument", "meaning"), _arguments(command))
    return "\n".join(lines)


def _anchor(command: argparse.ArgumentParser) -> str:
    return command.prog.replace(" ", "-")


def _usage(command: argparse.ArgumentParser) -> str:
    words = [command.prog]
    optional = [a for a in command._actions if a.option_strings and a.dest != "help"]
    for action in optional:
        word = _written(action)
        words.append(word if action.required else f"[{word}]")
    positional = [a for a in command._actions if not a.option_strings]
    words += [str(a.metavar) if a.required else f"[{a.metavar}]" for a in positional]
    return " ".join(words)


def _choices(command: argparse.ArgumentParser) -> Iterator[str]:
    for group in command._mutually_exclusive_groups:
        if group.required:
            actions = group._group_actions
            yield " and ".join(code(_name(action)) for action in actions)


def _name(action: argparse.Action) -> str:
    return _written(action) if action.option_strings else str(action.metavar)


def _written(action: argparse.Action) -> str:
    option = action.option_strings[-1]
    if action.nargs == 0:
        return option
    return f"{option} {action.metavar or action.dest.upper()}"


def _arguments(command: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in sorted(command._actions, key=lambda each: bool(each.option_strings)):
        if action.dest == "help":
            continue
        text = (action.help or "") % {"default": action.default}
        yield code(_name(action)), plain_markdown(text)
