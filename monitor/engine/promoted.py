"""The baseline that a configuration names, out of its directory."""

from baselines.baseline import Baseline
from baselines.codec import BaselineFormatError
from baselines.store import BaselineStore, BaselineStoreError
from monitor.config.model import Configuration
from monitor.errors import OutputwatchError

__all__ = ["promoted_baseline", "stored_baseline"]


def promoted_baseline(configuration: Configuration) -> Baseline:
    """Return the baseline that the configuration names.

    Raises
    ------
    OutputwatchError
        If there is none, or it cannot be read.
    """
    return stored_baseline(configuration, configuration.baseline.version)


def stored_baseline(configuration: Configuration, version: str) -> Baseline:
    """Return another baseline of the same directory, by id or ``promoted``.

    Raises
    ------
    OutputwatchError
        If there is none, or it cannot be read.
    """
    try:
        return BaselineStore(configuration.baseline.directory).load(version)
    except (BaselineStoreError, BaselineFormatError) as error:
        raise OutputwatchError(str(error)) from error
