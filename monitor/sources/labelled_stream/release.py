"""What has waited for too long: outputs handed on without a label, labels given up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.decoding.base import RejectionReason
from monitor.sources.labelled_stream.joining import Joining, joined_record
from monitor.sources.labelled_stream.matching import Outcome
from monitor.sources.labelled_stream.waiting import JOIN, Waiting, WaitingRoom, WaitingState
from monitor.sources.live import Batch, Notice, NoticeKind

__all__ = ["Release"]

_AT_ONCE = 20_000


@dataclass(slots=True, kw_only=True)
class Release:
    """Releases what waits, at most once between two checkpoints.

    Parameters
    ----------
    room
        What waits.
    joining
        Where the time of an output stands.
    position
        The number of the next release; it grows from run to run.
    has_more
        Whether more was to be released than was; until the next checkpoint nothing is.
    """

    room: WaitingRoom
    joining: Joining
    position: int
    has_more: bool = False

    def batch(self) -> tuple[Batch | None, Sequence[Notice]]:
        """Return what is released now, and what must be told about it."""
        room = self.room
        if not room.is_fresh:
            return None, ()
        # All that is read of the database comes first: if it is away, nothing has changed.
        outputs, labels = self._due(WaitingState.OUTPUT), self._due(WaitingState.LABEL)
        more_outputs = self._excess(WaitingState.OUTPUT, outputs)
        more_labels = self._excess(WaitingState.LABEL, labels)
        self.has_more = _AT_ONCE in map(len, (outputs, labels, more_outputs, more_labels))
        if not any((outputs, labels, more_outputs, more_labels)):
            return None, ()
        outcome = Outcome()
        first = self.position
        self._without_label(outputs, outcome, is_due=not room.is_ending)
        self._without_label(more_outputs, outcome, is_due=False)
        outcome.n_past_horizon = 0 if room.is_ending else len(outputs)
        outcome.n_crowded_out = len(more_outputs)
        self._give_up([*labels, *more_labels], outcome)
        room.is_fresh = False
        room.touch(JOIN)
        batch = outcome.batch(JOIN, first=first, next_=self.position, n_records=0, too_long=())
        return batch, tuple(_told(len(more_outputs), len(more_labels)))

    def _due(self, state: WaitingState) -> Sequence[Waiting]:
        """Return what has waited until its time."""
        room = self.room
        if state is WaitingState.OUTPUT and room.is_ending:
            return room.oldest(state, until_us=None, limit=_AT_ONCE)
        if room.until_us is None:
            return ()
        patience_us = room.horizon_us if state is WaitingState.OUTPUT else room.early_us
        return room.oldest(state, until_us=room.until_us - patience_us, limit=_AT_ONCE)

    def _excess(self, state: WaitingState, due: Sequence[Waiting]) -> Sequence[Waiting]:
        """Return the oldest of those that are too many."""
        n_excess = self.room.n_waiting[state] - len(due) - self.room.max_waiting
        if n_excess <= 0:
            return ()
        n_excess = min(n_excess, _AT_ONCE)
        oldest = self.room.oldest(state, until_us=None, limit=len(due) + n_excess)
        released = {each.id for each in due}
        return [each for each in oldest if each.id not in released]

    def _without_label(
        self, outputs: Sequence[Waiting], outcome: Outcome, *, is_due: bool
    ) -> None:
        for output in outputs:
            payload = joined_record(
                output.body,
                b"",
                time_path=self.joining.time_path,
                time_us=self._time_of(output, is_due=is_due),
            )
            outcome.hand_on(payload, self._number())
            outcome.n_waiting -= 1
            if is_due:
                self.room.drop(output)
            else:
                self.room.replace(output, WaitingState.RELEASED)

    def _time_of(self, output: Waiting, *, is_due: bool) -> int:
        """Return the time by which an output without a label is counted."""
        if not self.room.by_label_time:
            return output.time_us
        if is_due:
            return output.time_us + self.room.horizon_us
        # Windows before that are closed.
        return max(output.time_us, self.room.until_us or 0)

    def _give_up(self, labels: Sequence[Waiting], outcome: Outcome) -> None:
        for label in labels:
            outcome.refuse(self._number(), RejectionReason.LABEL_WITHOUT_OUTPUT)
            outcome.n_waiting -= 1
            self.room.drop(label)

    def _number(self) -> int:
        self.position += 1
        return self.position - 1


def _told(n_outputs: int, n_labels: int) -> Iterator[Notice]:
    for number, what in (
        (n_outputs, "outputs were counted without waiting for their label"),
        (n_labels, "labels were given up without waiting for their output"),
    ):
        if number:
            detail = f"{number} {what}: more than source.max_waiting waited"
            yield Notice(kind=NoticeKind.TOO_MANY_WAITING, partition=JOIN, detail=detail)
