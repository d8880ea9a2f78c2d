"""Both sides of a join, opened."""

from typing import TYPE_CHECKING

from monitor.sources.base import SourceError
from monitor.sources.inbox import LABELS, OUTPUTS
from monitor.sources.labelled_stream.joining import Joining
from monitor.sources.labelled_stream.matching import Matcher
from monitor.sources.labelled_stream.records import RecordReader
from monitor.sources.labelled_stream.release import Release
from monitor.sources.labelled_stream.stream import JoinedStream, Side, SideClaims
from monitor.sources.labelled_stream.waiting import JOIN, WaitingRoom
from monitor.sources.live import Claims, InboxSource, LiveSource, LiveStream

if TYPE_CHECKING:
    from monitor.sources.labelled import Labelled

__all__ = ["open_stream"]

_US = 1_000_000


def open_stream(
    source: "Labelled", claims: Claims, *, worker: str, joining: Joining
) -> JoinedStream:
    """Return the joined stream of a source.

    Raises
    ------
    SourceError
        If one of the sources cannot be opened as it is configured.
    """
    room = WaitingRoom(
        joining.store,
        horizon_us=source.horizon_seconds * _US,
        early_us=source.early_seconds * _US,
        by_label_time=source.time == "label",
        max_waiting=source.max_waiting,
    )
    claimed = claims.claim({JOIN: ""})[JOIN]
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


def _opened(source: object, claims: SideClaims, worker: str, joining: Joining) -> LiveStream:
    if isinstance(source, InboxSource):
        return source.open(claims, worker=worker, inbox=joining.inbox_of(claims.prefix))
    if isinstance(source, LiveSource):
        return source.open(claims, worker=worker)
    message = f"a source that can be followed is needed, got {source!r}"
    raise SourceError(message)
