"""Into a file instead of to people: what would have been told, one line of JSON a notice."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import annotated_types as at

from monitor.incidents.records import to_record
from monitor.notifiers.base import Channel, DeliveryError, Receipt, Sending, notifier
from monitor.notifiers.notice import Notice

__all__ = ["RecordingChannel"]


@notifier
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingChannel(Channel):
    """Appends every notice to a file on this machine and opens no connection.

    It stands in for other channels in drills, and keeps a copy of what others are told.

    Parameters
    ----------
    channel, min_tier, failure_modes, drill
        As for every channel.
    path
        The file; it is created, its folder is not.
    stands_for
        The type of the channel in whose place it is; empty: it is nobody's.
    """

    name: ClassVar[str] = "record"
    path: Annotated[str, at.MinLen(1)]
    stands_for: str = ""

    def deliver(self, notice: Notice, sending: Sending) -> Receipt:
        """Append a notice as one line, written at once so that writers do not mix.

        Raises
        ------
        DeliveryError
            If the file cannot be written.
        """
        told = {
            "key": sending.key,
            "written_us": sending.now_us,
            "channel": self.channel,
            "stands_for": self.stands_for,
            "subject": notice.subject,
            "notice": to_record(notice),
        }
        line = json.dumps(told, ensure_ascii=False, sort_keys=True) + "\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(Path(self.path), flags, 0o600)
            with os.fdopen(descriptor, "ab", buffering=0) as file:
                file.write(line.encode())
        except OSError as error:
            message = f"the file {self.path!r} cannot be written: {error.strerror}"
            raise DeliveryError(message) from error
        return Receipt(provider_id=sending.key[:12])
