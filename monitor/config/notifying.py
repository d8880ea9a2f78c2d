"""Who is told of incidents, and how persistently: the ``notifiers`` section."""

from dataclasses import dataclass
from typing import Annotated, Any

import annotated_types as at
from pydantic import ConfigDict

from monitor.notifiers.http_posts import check_url

__all__ = ["NotifierSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierSettings:
    """Who is told of incidents, and how persistently.

    What there is to tell is written down in the same transaction as the incident, and sent
    apart from it: nothing is lost where a channel or the network is away.

    Parameters
    ----------
    channels
        The channels; each has a `type` and the options of that notifier.
    base_url
        Where people read incidents; messages link to ``BASE_URL/incidents/ID``. Empty: no link.
    audits
        Whether ``outputwatch audit`` tells of incidents too. An audit of old logs finds what
        is over; it writes to the outbox, and ``outputwatch run`` or ``outputwatch outbox send``
        sends it.
    max_attempts
        After so many attempts a notice is given up and listed as dead.
    first_retry_seconds
        The wait after the first failure; it doubles with every further one.
    max_retry_seconds
        The longest wait between attempts, unless a provider asks for more.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    channels: tuple[Any, ...] = ()
    base_url: str = ""
    audits: bool = False
    max_attempts: Annotated[int, at.Ge(1), at.Le(10_000)] = 120
    first_retry_seconds: Annotated[float, at.Gt(0), at.Le(3_600)] = 5.0
    max_retry_seconds: Annotated[float, at.Gt(0), at.Le(86_400)] = 900.0

    def __post_init__(self) -> None:
        """Refuse an address that cannot be linked to."""
        if self.base_url:
            check_url(self.base_url, option="base_url", allow_private=True)
