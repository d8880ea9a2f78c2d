"""The verbs of the command line: modules of a package, each of which is one verb.

A verb's module holds ``NAME``, ``HELP``, ``add_arguments(parser)`` and ``run(arguments)``, which
returns the exit status. It is imported for every command, so it imports what is heavy inside
its functions. A verb with verbs of its own is a package without ``run`` that calls `add_verbs`
with its name.
"""

import argparse
import importlib
import pkgutil

__all__ = ["add_verbs"]


def add_verbs(parser: argparse.ArgumentParser, package: str) -> None:
    """Add every verb among the modules of `package` to `parser`, in order of name."""
    places = importlib.import_module(package).__path__
    modules = [
        importlib.import_module(f"{package}.{found.name}")
        for found in pkgutil.iter_modules(places)
    ]
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for verb in sorted(modules, key=lambda module: str(module.NAME)):
        command = commands.add_parser(
            verb.NAME, help=verb.HELP, description=_sentence(verb.HELP), allow_abbrev=False
        )
        verb.add_arguments(command)
        if hasattr(verb, "run"):
            command.set_defaults(run=verb.run)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
