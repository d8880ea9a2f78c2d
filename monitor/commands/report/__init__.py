"""``outputwatch report``: pages for people, made of rows that are read again."""

import argparse

from monitor.verbs import add_verbs

__all__ = ["HELP", "NAME", "add_arguments"]

NAME = "report"
HELP = "render a report of a window as a page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the kinds of report."""
    add_verbs(parser, __name__)
