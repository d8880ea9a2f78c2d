"""Records of one batch, met with what waits: joined, kept waiting, or refused."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor.decoding.base import RejectionReason
from monitor.decoding.paths import look_up, parse_path
from monitor.sources.labelled_stream.joining import Joining, joined_record, kept_fields
from monitor.sources.labelled_stream.records import Parsed
from monitor.sources.labelled_stream.waiting import Waiting, WaitingRoom, WaitingState
from monitor.sources.live import Account, Batch

__all__ = ["Matcher", "Outcome"]


@dataclass(slots=True)
class Outcome:
    """What becomes of the records of a batch, as it is gathered."""

    payloads: list[bytes] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    refused: list[tuple[int, RejectionReason]] = field(default_factory=list)
    times_us: list[int] = field(default_factory=list)
    n_waiting: int = 0
    n_joined: int = 0
    n_repeated: int = 0
    n_past_horizon: int = 0
    n_crowded_out: int = 0

    def hand_on(self, payload: bytes, position: int) -> None:
        """Add a record that is to be counted."""
        self.payloads.append(payload)
        self.positions.append(position)

    def refuse(self, position: int, reason: RejectionReason) -> None:
        """Add a record that gives no row."""
        self.refused.append((position, reason))

    def batch(
        self, partition: str, *, first: int, next_: int, n_records: int, too_long: Sequence[int]
    ) -> Batch:
        """Return the batch, which stands for `n_records` records of the source."""
        return Batch(
            partition=partition,
            payloads=self.payloads,
            first=first,
            next=next_,
            positions=self.positions,
            too_long=too_long,
            account=Account(
                n_records=n_records,
                n_waiting=self.n_waiting,
                n_joined=self.n_joined,
                n_repeated=self.n_repeated,
                n_past_horizon=self.n_past_horizon,
                n_crowded_out=self.n_crowded_out,
                refused=self.refused,
                times_us=self.times_us,
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """Meets records with what waits.

    Parameters
    ----------
    room
        What waits.
    joining
        Which fields of outputs are kept.
    columns
        Paths of the fields of a label that are added to its output.
    """

    room: WaitingRoom
    joining: Joining
    columns: tuple[str, ...]

    def output(self, parsed: Parsed, payload: bytes, position: int, outcome: Outcome) -> None:
        """Take an output: joined with a label that waits, or kept waiting."""
        if parsed.time_us is not None:
            outcome.times_us.append(parsed.time_us)
        if parsed.refusal or parsed.id is None or parsed.time_us is None or self._is_none(parsed):
            # Without an id it cannot be joined; anything else wrong is found when it is decoded.
            outcome.hand_on(payload, position)
            return
        known = self.room.get(parsed.id)
        if known is not None and known.state is not WaitingState.LABEL:
            outcome.n_repeated += 1
            return
        paths = [path for path in self.joining.paths if path != self.joining.time_path]
        body = kept_fields(parsed.record, paths)
        output = Waiting(
            id=parsed.id, state=WaitingState.OUTPUT, time_us=parsed.time_us, body=body
        )
        if known is not None and self._in_time(output, known):
            outcome.n_waiting -= 1
            self._join(output, known, position, outcome)
            return
        if known is not None:
            outcome.refuse(position, RejectionReason.LABEL_AFTER_HORIZON)
            outcome.n_waiting -= 1
        self.room.put(output)
        outcome.n_waiting += 1

    def label(self, parsed: Parsed, position: int, outcome: Outcome) -> None:
        """Take a label: joined with its output, or kept waiting; the first of an id holds."""
        if parsed.time_us is not None:
            outcome.times_us.append(parsed.time_us)
        body = kept_fields(parsed.record, self.columns)
        refusal = parsed.refusal
        if refusal is None and body == b"{}":
            refusal = RejectionReason.MISSING_LABEL
        if refusal is not None or parsed.id is None or parsed.time_us is None:
            outcome.refuse(position, refusal or RejectionReason.MISSING_EVENT_ID)
            return
        label = Waiting(id=parsed.id, state=WaitingState.LABEL, time_us=parsed.time_us, body=body)
        known = self.room.get(parsed.id)
        if known is None:
            self.room.put(label)
            outcome.n_waiting += 1
        elif known.state is WaitingState.OUTPUT and self._in_time(known, label):
            outcome.n_waiting -= 1
            self._join(known, label, position, outcome)
        elif known.state in (WaitingState.OUTPUT, WaitingState.RELEASED):
            outcome.refuse(position, RejectionReason.LABEL_AFTER_HORIZON)
        else:
            outcome.n_repeated += 1

    def _join(self, output: Waiting, label: Waiting, position: int, outcome: Outcome) -> None:
        time_us = output.time_us
        if self.room.by_label_time:
            # Before the output nothing was known of it, whatever the label's clock says.
            time_us = max(output.time_us, label.time_us)
        payload = joined_record(
            output.body, label.body, time_path=self.joining.time_path, time_us=time_us
        )
        outcome.hand_on(payload, position)
        outcome.n_joined += 1
        self.room.put(Waiting(id=output.id, state=WaitingState.DONE, time_us=output.time_us))

    def _in_time(self, output: Waiting, label: Waiting) -> bool:
        return label.time_us <= output.time_us + self.room.horizon_us

    def _is_none(self, parsed: Parsed) -> bool:
        """Return whether the rule says that a record is no output."""
        rule = self.joining.rule
        if rule is None:
            return False
        kind = look_up(parsed.record, parse_path(rule.path))
        return kind is not None and str(kind) not in rule.accepted
