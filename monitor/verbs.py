"""The verbs of the command line: modules of a package, each of which is one verb.

A verb's module holds ``NAME``, ``HELP``, ``add_arguments(parser)`` and ``run(arguments)``, which
returns the exit status. It is imported for every command, so it imports what is heavy inside
its functions. A verb with verbs of its own is a package that calls `add_verbs` with its name.
"""

import argparse
import importlib
import pkgutil
from typing import Protocol, cast

__all__ = ["Verb", "add_verbs"]


class Verb(Protocol):
    """What the module of a verb holds."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments of the verb."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it and return the exit status."""
        ...


def add_verbs(parser: argparse.ArgumentParser, package: str) -> None:
    """Add every verb among the modules of `package` to `parser`, in order of name."""
    places = importlib.import_module(package).__path__
    modules = [
        cast("Verb", importlib.import_module(f"{package}.{found.name}"))
        for found in pkgutil.iter_modules(places)
    ]
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for verb in sorted(modules, key=lambda verb: verb.NAME):
        sentence = verb.HELP[:1].upper() + verb.HELP[1:]
        command = verbs.add_parser(
            verb.NAME, help=verb.HELP, description=f"{sentence}.", allow_abbrev=False
        )
        command.set_defaults(run=verb.run)
        verb.add_arguments(command)
