"""Both sides of a join, opened."""

from typing import TYPE_CHECKING

from monitor.sources.base import SourceError
from monitor.sources.inbox import LABELS, OUTPUTS, InboxSource
from monitor.sources.labelled_stream.joining import Joining
from monitor.sources.labelled_stream.matching import Matcher
from monitor.sources.labelled_stream.records import RecordReader
from monitor.sources.labelled_stream.release import Release
from monitor.sources.labelled_stream.stream import JoinedStream, Side, SideClaims
from monitor.sources.labelled_stream.waiting import JOIN, WaitingRoom
from monitor.sources.leases import LeasedClaims, Owner
from monitor.sources.live import Claimed, LiveSource, LiveStream

if TYPE_CHECKING:
    from monitor.sources.labelled import Labelled

__all__ = ["open_stream"]

_US = 1_000_000
_LOOK_SECONDS = 0.5


def open_stream(
    source: "Labelled", claims: LeasedClaims, *, worker: str, joining: Joining
) -> JoinedStream:
    """Return the joined stream of a source.

    Raises
    ------
    SourceError
        If another worker follows the sources, or one of them cannot be opened as it is
        configured.
    """
    claimed = _the_join(claims, joining)
    room = WaitingRoom(
        joining.store,
        horizon_us=source.horizon_seconds * _US,
        early_us=source.early_seconds * _US,
        by_label_time=source.time == "label",
        max_waiting=source.max_waiting,
    )
    of_outputs = SideClaims(claims=claims, prefix=OUTPUTS, room=room)
    of_labels = SideClaims(claims=claims, prefix=LABELS, room=room)
    outputs = Side(
        stream=_opened(source.outputs, of_outputs, worker, joining),
        claims=of_outputs,
        reader=RecordReader(
            id_path=joining.id_path, time_path=joining.time_path, time_unit=joining.time_unit
        ),
    )
    try:
        labels = Side(
            stream=_opened(source.labels, of_labels, worker, joining),
            claims=of_labels,
            reader=RecordReader(id_path=source.label_id, time_path=source.label_time),
        )
    except BaseException:
        outputs.stream.close()
        raise
    return JoinedStream(
        outputs,
        labels,
        Matcher(room=room, joining=joining, columns=source.columns),
        Release(
            room=room,
            joining=joining,
            position=claimed.position or 0,
        ),
        joining,
    )


def _the_join(claims: LeasedClaims, joining: Joining) -> Claimed:
    """Return the join's place once it is this worker's; wait for an owner that may be dead."""
    first: Owner | None = None
    while True:
        found = claims.lease_if_free(JOIN)
        if isinstance(found, Claimed):
            return found
        first = first or found
        if found != first:
            message = (
                f"a source of type 'labelled' is followed by one worker, and {found.worker!r} "
                "does; stop it first, or give both sources to a monitor of another name"
            )
            raise SourceError(message)
        if joining.wait(_LOOK_SECONDS):
            message = f"told to stop while {found.worker!r} followed the sources"
            raise SourceError(message)


def _opened(source: object, claims: SideClaims, worker: str, joining: Joining) -> LiveStream:
    if isinstance(source, InboxSource):
        return source.open(claims, worker=worker, inbox=joining.inbox_of(claims.prefix))
    if isinstance(source, LiveSource):
        return source.open(claims, worker=worker)
    message = f"a source that can be followed is needed, got {source!r}"
    raise SourceError(message)
