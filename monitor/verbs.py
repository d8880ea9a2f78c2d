"""The verbs of the command line: modules of a package, each of which is one verb.

A verb's module holds ``NAME``, ``HELP``, ``add_arguments(parser)`` and ``run(arguments)``, which
returns the exit status. It is imported for every command, so it imports what is heavy inside
its functions. A verb with verbs of its own is a package without ``run`` that calls `add_verbs`
with its name.
"""

import argparse
import importlib
import itertools
import pkgutil
from collections.abc import Iterable
from typing import TypeVar, overload

__all__ = ["add_verbs"]

_N = TypeVar("_N")


def add_verbs(parser: argparse.ArgumentParser, package: str) -> None:
    """Add every verb among the modules of `package` to `parser`, in order of name."""
    places = importlib.import_module(package).__path__
    modules = [
        importlib.import_module(f"{package}.{found.name}")
        for found in pkgutil.iter_modules(places)
    ]
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=_VerbParser
    )
    for verb in sorted(modules, key=lambda module: str(module.NAME)):
        command = commands.add_parser(
            verb.NAME, help=verb.HELP, description=_sentence(verb.HELP), allow_abbrev=False
        )
        verb.add_arguments(command)
        if hasattr(verb, "run"):
            command.set_defaults(run=verb.run)


class _VerbParser(argparse.ArgumentParser):
    """Takes the options of a verb in any place, also between its arguments.

    Left to itself argparse gives an optional argument up at the first option:
    ``show CONFIG --json ID`` would have no CONFIG.
    """

    @overload
    def parse_known_args(
        self, args: Iterable[str] | None = None, namespace: None = None
    ) -> tuple[argparse.Namespace, list[str]]: ...
    @overload
    def parse_known_args(
        self, args: Iterable[str] | None, namespace: _N
    ) -> tuple[_N, list[str]]: ...
    @overload
    def parse_known_args(self, *, namespace: _N) -> tuple[_N, list[str]]: ...

    def parse_known_args(
        self, args: Iterable[str] | None = None, namespace: _N | None = None
    ) -> tuple[_N | argparse.Namespace, list[str]]:
        """Return what argparse makes of the options and then of the arguments."""
        if args is not None and self._subparsers is None:
            args = self._options_first(args)
        return super().parse_known_args(args, namespace)

    def _options_first(self, words: Iterable[str]) -> list[str]:
        options: list[str] = []
        arguments: list[str] = []
        rest = iter(words)
        for word in rest:
            if word == "--":
                arguments += [word, *rest]
                break
            action = self._option_string_actions.get(word.partition("=")[0])
            if action is None:
                arguments.append(word)
                continue
            takes_one = action.nargs is None and "=" not in word
            options += [word, *itertools.islice(rest, 1 if takes_one else 0)]
        return [*options, *arguments]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
