"""``outputwatch postmortem``: what happened, why, and what will show that it is better now.

Each module of this package is one verb, found by scanning.
"""

import argparse

from monitor.verbs import add_verbs

__all__ = ["HELP", "NAME", "add_arguments"]

NAME = "postmortem"
HELP = "write the post-mortem of an incident, with action items"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this package."""
    add_verbs(parser, __name__)
