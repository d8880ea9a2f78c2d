"""Which source rows are read from a second time: for an audit, a report, a baseline."""

from dataclasses import replace

from monitor.config.model import Configuration
from monitor.sources.base import Source
from monitor.sources.files import Files
from monitor.sources.live_only import LiveOnly, OnlyFollowedError

__all__ = ["audited_source", "is_only_followed", "reference_source"]


def audited_source(configuration: Configuration) -> Source:
    """Return the configuration's source, which is read part by part.

    Raises
    ------
    OnlyFollowedError
        If it can only be followed.
    """
    source = configuration.source
    if is_only_followed(source):
        message = (
            f"{configuration.path}: source: {source.name!r} can only be followed, with "
            "'outputwatch run': its outputs cannot be read a second time; write them to files "
            "too, and name these in a configuration with a source of type 'files'"
        )
        raise OnlyFollowedError(message)
    audited: Source = source
    return audited


def reference_source(configuration: Configuration) -> Source:
    """Return the source that reference rows are read from.

    These are the files of ``baseline.reference.paths``, read as `source` reads files if it
    does, or all of `source`.

    Raises
    ------
    OnlyFollowedError
        If no paths are given and `source` can only be followed.
    """
    paths, source = configuration.baseline.reference.paths, configuration.source
    if paths is None and is_only_followed(source):
        message = (
            f"{configuration.path}: baseline.reference.paths: must name files of reference "
            f"outputs, because the source {source.name!r} can only be followed and not read "
            "again, got none; the files have the columns of the same schema"
        )
        raise OnlyFollowedError(message)
    if paths is None:
        return audited_source(configuration)
    if "paths" in getattr(source, "__dataclass_fields__", ()):
        replaced: Source = replace(source, paths=paths)
        return replaced
    return Files(paths=paths)


def is_only_followed(source: object) -> bool:
    """Return whether a source has no parts that can be read again."""
    return isinstance(source, LiveOnly) or not isinstance(source, Source)
