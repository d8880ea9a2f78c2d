"""What a stream tells of: what was lost, and that no broker answers."""

from collections.abc import Callable, Sequence

from monitor.sources.kafka_stream.client import Partition
from monitor.sources.live import Notice, NoticeKind, Outage

__all__ = ["UNREACHABLE_SECONDS", "Noticing"]

UNREACHABLE_SECONDS = 15.0
"""How long no broker must have answered before it is told."""


class Noticing:
    """Keeps notices until they are asked for; each of them once.

    Parameters
    ----------
    monotonic
        Seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._notices: list[Notice] = []
        self._silent_since: float | None = None
        self._told_unreachable = False
        self._ever_answered = False

    @property
    def silent_since(self) -> float | None:
        """Return since when no broker has answered; None: the last question was answered."""
        return self._silent_since

    def outage(self) -> Outage | None:
        """Return that no broker answers, once that was told, or if none has ever answered."""
        since = self._silent_since
        if since is None or (self._ever_answered and not self._told_unreachable):
            return None
        return Outage(seconds=self._now() - since, detail="broker unreachable")

    def handed_on(self) -> Sequence[Notice]:
        """Return what has happened since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def lost(
        self, partition: Partition, kind: NoticeKind, offsets: tuple[int, int], detail: str
    ) -> None:
        """Tell of the offsets ``offsets[0] <= offset < offsets[1]``."""
        first, end = offsets
        self._tell(
            Notice(kind=kind, partition=partition.name, first=first, end=end, detail=detail)
        )

    def replaced(self, partition: Partition, position: int | None) -> None:
        """Tell that a topic is another one than that of which `position` was reached."""
        self._tell(
            Notice(
                kind=NoticeKind.TOPIC_REPLACED,
                partition=partition.name,
                first=position,
                detail="there is another topic of the name now; it is read from its beginning",
            )
        )

    def no_answer(self, detail: str) -> None:
        """Take note that nobody has answered, and tell it once if it goes on."""
        now = self._now()
        if self._silent_since is None:
            self._silent_since = now
        if now - self._silent_since >= UNREACHABLE_SECONDS and not self._told_unreachable:
            self._told_unreachable = True
            self._tell(Notice(kind=NoticeKind.UNREACHABLE, detail=detail))

    def answered(self) -> None:
        """Take note that a broker has answered."""
        self._silent_since = None
        self._told_unreachable = False
        self._ever_answered = True

    def _tell(self, notice: Notice) -> None:
        if notice not in self._notices:
            self._notices.append(notice)
