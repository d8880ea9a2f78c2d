"""``outputwatch silence``: signals about which nobody is told for a while.

Each module of this package is one verb, found by scanning.
"""

import argparse

from monitor.verbs import add_verbs

__all__ = ["HELP", "NAME", "add_arguments"]

NAME = "silence"
HELP = "keep signals from being told for a while, they are recorded all the same"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this package."""
    add_verbs(parser, __name__)
