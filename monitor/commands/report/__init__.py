"""``outputwatch report``: pages for people, made of rows that are read again."""

import argparse

from monitor.verbs import add_verbs

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "report"
HELP = "render a report of a window as a page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the kinds of report."""
    add_verbs(parser, __name__)


def run(arguments: argparse.Namespace) -> int:
    """Hand over to the kind of report; the parser has put its own `run` in this one's place."""
    status: int = arguments.run(arguments)
    return status
