"""Many other channels, through the library apprise."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import annotated_types as at

from monitor.notifiers.base import Channel, DeliveryError, Receipt, RefusedError, Sending, notifier
from monitor.notifiers.notice import Notice

__all__ = ["Apprise"]


@notifier
@dataclass(frozen=True, slots=True, kw_only=True)
class Apprise(Channel):
    """Any channel that apprise knows; it takes ``pip install 'outputwatch[apprise]'``.

    Apprise says only whether a message went out: no id of the provider is kept, nothing is
    threaded, and a notice that is sent twice is there twice. It connects by itself, so that
    addresses cannot be checked: `allow_private` must be true.

    Parameters
    ----------
    channel, min_tier, failure_modes, drill
        See `monitor.notifiers.base.Channel`.
    url
        In the notation of apprise; ``${NAME}`` is replaced by the environment variable. It is
        a secret, and never printed.
    allow_private
        That addresses are not checked.
    """

    name: ClassVar[str] = "apprise"
    url: Annotated[str, at.MinLen(1)] = field(repr=False)
    allow_private: bool = False

    def __post_init__(self) -> None:
        """Refuse to promise what cannot be held."""
        if not self.allow_private:
            message = (
                "allow_private must be true: apprise connects by itself, so that private "
                "addresses cannot be refused"
            )
            raise ValueError(message)

    def deliver(self, notice: Notice, sending: Sending) -> Receipt:
        """Hand one message to apprise."""
        del sending
        try:
            import apprise
        except ModuleNotFoundError as error:
            message = "apprise must be installed: pip install 'outputwatch[apprise]'"
            raise RefusedError(message) from error
        target = apprise.Apprise()
        if not target.add(self.url):
            message = "url must be one that apprise knows, got <secret>"
            raise RefusedError(message)
        if not target.notify(title=notice.subject, body="\n".join(notice.lines)):
            message = "apprise must deliver the message, it says that it did not"
            raise DeliveryError(message)
        return Receipt()
