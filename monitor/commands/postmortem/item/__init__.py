"""``outputwatch postmortem item``: what is to be done, that it was, and what came of it.

Each module of this package is one verb, found by scanning.
"""

import argparse

from monitor.verbs import add_verbs

__all__ = ["HELP", "NAME", "add_arguments"]

NAME = "item"
HELP = "add an action item, note that one is done, or whether it has worked"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this package."""
    add_verbs(parser, __name__)
