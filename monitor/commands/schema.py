"""``outputwatch schema``: the JSON Schema of the configuration, for editors."""

import argparse

from monitor.printing import write_json

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "schema"
HELP = "write the JSON Schema of the configuration, for editors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the form of the answer, which is JSON in any case."""
    parser.add_argument("--json", action="store_true", help="JSON, as without this option")


def run(arguments: argparse.Namespace) -> int:
    """Write the schema, with the options of every registered detector and source."""
    del arguments  # there is one form of answer
    from monitor.config.json_schema import configuration_schema

    write_json(configuration_schema())
    return 0
