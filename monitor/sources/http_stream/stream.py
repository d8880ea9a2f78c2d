"""The bodies of an inbox, handed on in order, record by record."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from monitor.sources.http_stream.serving import Serving
from monitor.sources.inbox import Inbox, InboxAwayError
from monitor.sources.leases import LeasedClaims, Owner
from monitor.sources.live import Batch, Claimed, Notice, SourceStoppedError
from monitor.telemetry.logs import get_logger

__all__ = ["PARTITION", "HttpStream", "position_of"]

_LOG = get_logger(__name__)

PARTITION = "http"

_INDEX_BITS = 20
_INDEX_MASK = (1 << _INDEX_BITS) - 1
_BODIES_AT_ONCE = 16
_TRY_SECONDS = 1.0


def position_of(seq: int, index: int = 0) -> int:
    """Return the position of a record: the number of its body, then its place in it.

    Examples
    --------
    >>> position_of(3, 2)
    3145730
    """
    return (seq << _INDEX_BITS) | index


class HttpStream:
    """What was sent and not counted yet; the database holds it until a checkpoint is written.

    Of several workers the one that was opened last hands bodies on, whoever took them. The
    others stand by: they take bodies too, and one of them goes on when that one has gone.

    Parameters
    ----------
    inbox
        The bodies that wait, of all workers.
    claims
        How the one partition is taken over.
    server
        Takes new bodies; closed with the stream.
    arrived
        Set when a body was kept.
    keep_keys_seconds
        How long a key is known after its body was counted.
    elapsed
        Returns seconds on a clock that never goes back.
    """

    def __init__(
        self,
        inbox: Inbox,
        claims: LeasedClaims,
        *,
        server: Serving,
        arrived: threading.Event,
        keep_keys_seconds: int,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inbox, self._server, self._arrived = inbox, server, arrived
        self._claims = claims
        self._keep_keys_seconds = keep_keys_seconds
        self._elapsed = elapsed
        self._try_at = elapsed()
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._dropped_below: int | None = None
        self._is_paused = False
        self._begin(claims.lease(PARTITION))

    @property
    def port(self) -> int:
        """Return the port that bodies are sent to."""
        return self._server.port

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Batch]:
        """Return the next records; none while the database is away.

        Raises
        ------
        SourceStoppedError
            If the server has ended by itself.
        """
        if not self._server.is_alive:
            message = "the server for outputs has ended; see the log, and start the monitor anew"
            raise SourceStoppedError(message)
        self._arrived.clear()
        if self._is_paused or not self._is_ours():
            time.sleep(timeout_seconds)
            return ()
        batches = self._take(max_records)
        if batches or not self._arrived.wait(timeout_seconds):
            return batches
        return self._take(max_records)

    def notices(self) -> Sequence[Notice]:
        """Return nothing: what goes wrong is answered to the one who sent it."""
        return ()

    def caught_up(self) -> frozenset[str]:
        """Return the one partition if nothing was waiting at the last poll."""
        return frozenset({PARTITION} if self._is_quiet else ())

    def ended(self) -> frozenset[str]:
        """Return nothing: more may always come."""
        return frozenset()

    def lag(self) -> Mapping[str, int]:
        """Return how many records are not counted yet; nothing while the database is away."""
        if self._is_standby:
            return {}
        try:
            waiting = self._inbox.waiting()
        except InboxAwayError:
            return {}
        # A body that is counted in part waits as a whole.
        return {PARTITION: max(0, waiting - (self._committed & _INDEX_MASK))}

    def pause(self) -> None:
        """Hand on nothing until `resume`; bodies are still taken, as many as may wait."""
        self._is_paused, self._is_quiet = True, False

    def resume(self) -> None:
        """Go on."""
        self._is_paused = False

    def committed(self, positions: Mapping[str, int]) -> None:
        """Drop the bodies that are counted as a whole; if the database is away, next time."""
        position = positions.get(PARTITION)
        if position is None:
            return
        self._committed = position
        below = position >> _INDEX_BITS
        if below == self._dropped_below:
            return
        try:
            self._inbox.counted(below, keep_keys_seconds=self._keep_keys_seconds)
        except InboxAwayError:
            return
        self._dropped_below = below

    def close(self) -> None:
        """Take no more bodies; those that wait are counted by the next run."""
        self._server.close()

    def _is_ours(self) -> bool:
        """Return whether this worker counts; one that stands by tries to, once in a while."""
        if self._claims.is_held(PARTITION):
            return True
        if not self._is_standby:
            self._stand_by()
        if self._elapsed() < self._try_at:
            return False
        self._try_at = self._elapsed() + _TRY_SECONDS
        found = self._claims.lease_if_free(PARTITION)
        if isinstance(found, Owner):
            return False
        _LOG.info("this worker counts what is sent from now on")
        self._begin(found)
        return True

    def _stand_by(self) -> None:
        """Drop what was read ahead: whoever counts now reads it from the database."""
        _LOG.info("another worker counts what is sent; this one takes bodies and stands by")
        self._is_standby, self._is_quiet = True, False
        self._waiting.clear()
        # What was lost is known to be lost.
        self._claims.release([PARTITION])

    def _begin(self, known: Claimed) -> None:
        """Go on where the database says."""
        self._position = known.position or 0
        self._next_seq = self._position >> _INDEX_BITS
        self._waiting.clear()
        self._committed = self._position
        self._dropped_below = None
        self._is_standby = self._is_quiet = False

    def _take(self, max_records: int) -> Sequence[Batch]:
        is_away = False
        while len(self._waiting) < max_records:
            try:
                if not self._fetch():
                    break
            except InboxAwayError:
                is_away = True
                break
        self._is_quiet = not self._waiting and not is_away
        if not self._waiting:
            return ()
        n_records = min(max(1, max_records), len(self._waiting))
        taken = [self._waiting.popleft() for _ in range(n_records)]
        self._position = self._waiting[0][0] if self._waiting else position_of(self._next_seq)
        return (
            Batch(
                partition=PARTITION,
                payloads=[line for _, line in taken],
                first=taken[0][0],
                next=self._position,
                positions=[position for position, _ in taken],
            ),
        )

    def _fetch(self) -> bool:
        """Read bodies ahead; False if there are no more."""
        bodies = self._inbox.read_from(self._next_seq, limit=_BODIES_AT_ONCE)
        for stored in bodies:
            lines = enumerate(stored.body.split(b"\n"), start=position_of(stored.seq))
            self._waiting.extend(each for each in lines if each[0] >= self._position)
            self._next_seq = stored.seq + 1
        return bool(bodies)
