"""``outputwatch schema``: the JSON Schema of the configuration, for editors."""

import argparse

from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "schema"
HELP = "write the JSON Schema of the configuration, for editors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is written; a schema is JSON in any case."""
    parser.add_argument("--json", action="store_true", help="JSON, as without this option")
    parser.add_argument(
        "--severity-policy",
        action="store_true",
        help="write the built-in severity policy instead, as YAML to copy and change",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the schema, with the options of every registered detector and source."""
    if arguments.severity_policy:
        from monitor.severity.rules import BUILT_IN_FILE

        write_line(BUILT_IN_FILE.read_text(encoding="utf-8").rstrip())
        return 0
    from monitor.config.json_schema import configuration_schema

    write_json(configuration_schema())
    return 0
