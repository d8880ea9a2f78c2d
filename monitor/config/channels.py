"""Reads the ``notifiers`` section: its options, and one component for each channel."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.config.components import read_component
from monitor.config.forms import Reader
from monitor.config.messages import found
from monitor.config.notifying import NotifierSettings
from monitor.config.paths import with_secrets
from monitor.notifiers.base import registered_notifiers

__all__ = ["read_notifiers"]


def read_notifiers(
    reader: Reader, section: object, environment: Mapping[str, str]
) -> NotifierSettings | None:
    """Return the section with its channels, or None after noting what is wrong.

    Parameters
    ----------
    environment
        What ``${NAME}`` stands for in secrets.
    """
    options, listed = section, None
    if isinstance(section, dict) and "channels" in section:
        options = {name: value for name, value in section.items() if name != "channels"}
        listed = section["channels"]
    settings = reader.read(NotifierSettings, options, ("notifiers",), besides=("channels",))
    channels = _channels(reader, listed, environment)
    return None if settings is None else replace(settings, channels=channels)


def _channels(reader: Reader, listed: object, environment: Mapping[str, str]) -> tuple[Any, ...]:
    if listed is None:
        return ()
    if not isinstance(listed, list):
        reader.wrong(("notifiers", "channels"), f"must be a list, got {found(listed)}")
        return ()
    channels: list[Any] = []
    names: set[str] = set()
    for index, each in enumerate(listed):
        here = ("notifiers", "channels", index)
        component = read_component(reader, each, here, registered_notifiers())
        channel: Any = with_secrets(reader, component, here, environment)
        if channel is None:
            continue
        if channel.channel in names:
            message = f"must be another name than every other channel's, got {channel.channel!r}"
            reader.wrong((*here, "channel"), message)
        names.add(channel.channel)
        channels.append(channel)
    return tuple(channels)
