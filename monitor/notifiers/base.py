"""What a notifier is: a channel that takes notices, and says what became of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, runtime_checkable

import annotated_types as at

from detectors.base import FailureMode
from detectors.registry import Registry
from monitor.errors import OutputwatchError
from monitor.incidents.suggestion import Tier
from monitor.notifiers.notice import Notice

__all__ = [
    "NOTIFIERS",
    "Channel",
    "DeliveryError",
    "Notifier",
    "Receipt",
    "Refreshing",
    "RefusedError",
    "Sending",
    "notifier",
    "registered_notifiers",
]

_C = TypeVar("_C")


class DeliveryError(OutputwatchError):
    """A notice could not be delivered; it is tried again.

    Parameters
    ----------
    message
        What happened, without secrets.
    retry_after_seconds
        How long the provider asked to wait, None if it did not.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class RefusedError(DeliveryError):
    """A notice was refused in a way that trying again does not change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One attempt to deliver.

    Parameters
    ----------
    key
        The idempotency key: the same for every attempt at the same notice.
    now_us
        The time by the clock.
    thread
        What the provider called the first notice of the incident on this channel, None if
        there is none.
    """

    key: str
    now_us: int
    thread: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """That a provider accepted a notice.

    Parameters
    ----------
    provider_id
        What it calls the notice, None if it does not say.
    """

    provider_id: str | None = None


@runtime_checkable
class Notifier(Protocol):
    """A channel on which people are told."""

    name: ClassVar[str]
    channel: str
    min_tier: Tier
    failure_modes: tuple[FailureMode, ...]
    drill: bool

    def deliver(self, notice: Notice, sending: Sending) -> Receipt:
        """Deliver a notice, once or not at all as far as one can know.

        Raises
        ------
        RefusedError
            If trying again would not help.
        DeliveryError
            If it may help.
        """
        ...


@runtime_checkable
class Refreshing(Protocol):
    """A channel that forgets an incident unless it is told again."""

    repeat_seconds: float

    def refresh(self, notice: Notice, sending: Sending) -> None:
        """Tell again that an incident goes on; raises as `Notifier.deliver`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What every notifier has: its name, and which incidents it takes.

    Parameters
    ----------
    channel
        What the channel is called in lists and timelines; no two have the same name.
    min_tier
        The mildest tier that is told here. What follows on an incident that was told is told
        too.
    failure_modes
        The kinds of incident that are told here; empty: all.
    drill
        True: practice incidents are told here too. Nothing of a drill leaves by other
        channels.
    """

    channel: Annotated[str, at.MinLen(1), at.MaxLen(100)]
    min_tier: Tier = Tier.SEV4
    failure_modes: tuple[FailureMode, ...] = ()
    drill: bool = False


NOTIFIERS: Registry[Any] = Registry(
    kind="notifier", package="monitor.notifiers", entry_points="outputwatch.notifiers"
)


def notifier(cls: type[_C]) -> type[_C]:
    """Register a frozen dataclass as the notifier called `cls.name`."""
    return NOTIFIERS.register(cls)


def registered_notifiers() -> Mapping[str, type[Any]]:
    """Return every notifier by name: this package's, then those of entry points."""
    return NOTIFIERS.all()
