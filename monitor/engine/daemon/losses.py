"""Records that can never be read: where they were, from what to what, and how many."""

from dataclasses import dataclass

from monitor.sources.live import Notice, NoticeKind

__all__ = ["LOSSES", "Loss", "loss_of"]

LOSSES = frozenset(
    {
        NoticeKind.RETENTION_GAP,
        NoticeKind.UNREADABLE_BATCH,
        NoticeKind.TOPIC_REPLACED,
        NoticeKind.TRUNCATED,
    }
)
"""Notices after which some outputs will never be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A loss in words.

    Parameters
    ----------
    series
        What its signal is called: one for each partition.
    place
        Where.
    sentence
        What was lost, from which position to which, how much at most, and that it stays so.
    is_exact
        Whether both ends are known: the same sentence again is then the same loss.
    """

    series: str
    place: str
    sentence: str
    is_exact: bool


def loss_of(notice: Notice) -> Loss:
    """Return what a notice says is lost.

    Examples
    --------
    >>> gap = Notice(kind=NoticeKind.RETENTION_GAP, partition="a/0", first=10, end=250)
    >>> loss_of(gap).sentence
    'retention gap in a/0: positions 10 to 249, 240 at most; what was lost does not come back'
    """
    place = notice.partition or "the whole source"
    kind = str(notice.kind).replace("_", " ")
    detail = f" ({notice.detail})" if notice.detail else ""
    what = f"{kind} in {place}: {_how_much(notice)}{detail}"
    return Loss(
        series=f"stream({place})",
        place=place,
        sentence=f"{what}; what was lost does not come back",
        is_exact=notice.first is not None and notice.end is not None,
    )


def _how_much(notice: Notice) -> str:
    # Of positions some may hold no record: markers of transactions, keys that were compacted.
    if notice.first is None:
        return "how much is not known"
    if notice.end is None:
        return f"from position {notice.first}, how much is not known"
    number = max(0, notice.end - notice.first)
    return f"positions {notice.first} to {notice.end - 1}, {number:,} at most"
