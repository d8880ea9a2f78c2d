"""``outputwatch baseline``: the versions that windows are compared with.

Each module of this package is one verb, found by scanning.
"""

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.errors import OutputwatchError
from monitor.verbs import add_verbs

if TYPE_CHECKING:
    from baselines.store import BaselineStore

__all__ = ["HELP", "NAME", "add_arguments", "add_configuration_argument", "opened_store"]

NAME = "baseline"
HELP = "fit, inspect, compare and promote baselines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of this package."""
    add_verbs(parser, __name__)


def add_configuration_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration, which names the directory, and the form of the answer."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


@contextlib.contextmanager
def opened_store(configuration_path: str) -> "Iterator[BaselineStore]":
    """Provide the store that a configuration names; its errors become ones to act on.

    Raises
    ------
    OutputwatchError
        If the configuration is wrong, or the store cannot do what is asked.
    """
    from baselines.codec import BaselineFormatError
    from baselines.store import BaselineStore, BaselineStoreError
    from monitor.config.load import load_configuration

    configuration = load_configuration(configuration_path)
    try:
        yield BaselineStore(configuration.baseline.directory)
    except (BaselineStoreError, BaselineFormatError) as error:
        raise OutputwatchError(str(error)) from error
