"""``outputwatch postmortem item``: what is to be done, and that it was.

Each module of this package is one verb, found by scanning.
"""

import argparse

from monitor.verbs import add_verbs

__all__ = ["HELP", "NAME", "add_arguments"]

NAME = "item"
HELP = "add an action item, or note that one is done"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this package."""
    add_verbs(parser, __name__)
