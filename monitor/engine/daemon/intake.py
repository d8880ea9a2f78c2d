"""Records of a stream to counts: decoded, checked against the clock, cut into windows."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from baselines.columns import Columns
from baselines.counting import Counter as CellCounter
from monitor.decoding.base import Decoded, Origin, Rejection, RejectionReason
from monitor.engine.daemon.holding import Holding
from monitor.engine.partition import Partition
from monitor.sources.live import Account, Batch
from monitor.storage.streams import Letter
from monitor.windows.spec import TumblingWindows

__all__ = ["Intake"]

LATE = "late"
DUPLICATE = "duplicate"
_MAX_LETTERS = 100


@dataclass(slots=True, kw_only=True)
class Intake:
    """Counts batches into what a worker holds of their partitions.

    Parameters
    ----------
    decode
        Payloads to rows and rejections.
    partition, counter, windows
        How rows are divided and counted, the same as in a batch.
    max_future_us
        How far an event time may be ahead of the clock.
    deduplicate
        Whether an event id counts once only while its window is open.
    amend
        Whether events of closed windows are counted too, to be added to what is stored of them.
    """

    decode: Callable[[Batch], Decoded]
    partition: Partition
    counter: CellCounter
    windows: TumblingWindows
    max_future_us: int
    deduplicate: bool
    amend: bool = False
    closed_us: int | None = field(default=None)

    def take(self, batch: Batch, holding: Holding, now_us: int) -> None:
        """Count one batch; the holding's position moves behind it."""
        if holding.restarted and holding.position is not None and batch.first < holding.position:
            holding.position, holding.restarted = batch.first, False
        if batch.account is None:
            batch = _without_known(batch, holding.position)
        if batch.payloads or batch.too_long or batch.account is not None:
            self._count(batch, holding, now_us)
            holding.moved_us = now_us
        holding.position = batch.next

    def _count(self, batch: Batch, holding: Holding, now_us: int) -> None:
        fresh = holding.fresh
        if batch.account is None:
            fresh.tally.n_records += len(batch.payloads) + len(batch.too_long)
        else:
            _add_account(batch, batch.account, holding, now_us)
        self._refuse_too_long(batch, holding, now_us)
        decoded = self.decode(batch)
        fresh.tally.rejected.update(decoded.rejected)
        fresh.tally.remarks.update(decoded.remarks)
        _keep_letters(fresh.letters, batch, decoded, now_us)
        columns = self._within_time(decoded.columns, batch, holding, now_us)
        columns = self._in_time(columns, batch, holding, now_us)
        if self.deduplicate:
            columns = self._once(columns, holding)
        if columns.n_rows == 0:
            return
        fresh.tally.n_rows += columns.n_rows
        starts, numbers = np.unique(self.windows.starts(columns.time_us), return_counts=True)
        fresh.n_rows.update(dict(zip(starts.tolist(), numbers.tolist(), strict=True)))
        fresh.counts.add(self.partition.counted(columns, self.counter))

    def _refuse_too_long(self, batch: Batch, holding: Holding, now_us: int) -> None:
        if not batch.too_long:
            return
        reason = RejectionReason.LINE_TOO_LONG
        holding.fresh.tally.rejected[reason] += len(batch.too_long)
        for position in batch.too_long:
            _append(holding.fresh.letters, batch, position, str(reason), now_us, {})

    def _within_time(
        self, columns: Columns, batch: Batch, holding: Holding, now_us: int
    ) -> Columns:
        """Return the rows whose time the clock allows; only these move the watermark."""
        future = columns.time_us > now_us + self.max_future_us
        if future.any():
            reason = RejectionReason.TIMESTAMP_IN_FUTURE
            holding.fresh.tally.rejected[reason] += int(future.sum())
            newest = int(columns.time_us.max())
            detail = {"newest_us": newest, "clock_us": now_us, "records": int(future.sum())}
            _append(holding.fresh.letters, batch, batch.first, str(reason), now_us, detail)
            columns = columns.take(~future)
        times_us = columns.time_us
        if batch.account is not None:
            known_us = np.array(batch.account.times_us, dtype=np.int64)
            times_us = known_us[known_us <= now_us + self.max_future_us]
        if len(times_us):
            newest = int(times_us.max())
            known = holding.newest_us
            holding.newest_us = newest if known is None else max(known, newest)
        return columns

    def _in_time(self, columns: Columns, batch: Batch, holding: Holding, now_us: int) -> Columns:
        if self.closed_us is None or columns.n_rows == 0:
            return columns
        late = self.windows.starts(columns.time_us) <= self.closed_us
        if not late.any():
            return columns
        detail = {"oldest_us": int(columns.time_us.min()), "records": int(late.sum())}
        _append(holding.fresh.letters, batch, batch.first, LATE, now_us, detail)
        if self.amend:
            # Told apart again, and counted as late, when they are written.
            return columns
        holding.fresh.tally.n_late += int(late.sum())
        return columns.take(~late)

    def _once(self, columns: Columns, holding: Holding) -> Columns:
        """Return the rows whose event id was not counted in their window yet."""
        if columns.event_ids is None or columns.n_rows == 0:
            return columns
        keep = np.ones(columns.n_rows, dtype=np.bool_)
        starts = self.windows.starts(columns.time_us).tolist()
        for row, (start, given) in enumerate(zip(starts, columns.event_ids.tolist(), strict=True)):
            if given is None:
                continue
            number = event_hash(str(given))
            seen = holding.seen.setdefault(start, set())
            if number in seen:
                keep[row] = False
                continue
            seen.add(number)
            holding.fresh.ids.setdefault(start, []).append(number)
        if keep.all():
            return columns
        holding.fresh.tally.n_duplicates += int((~keep).sum())
        return columns.take(keep)


def _add_account(batch: Batch, account: Account, holding: Holding, now_us: int) -> None:
    tally = holding.fresh.tally
    tally.n_records += account.n_records
    tally.n_waiting += account.n_waiting
    tally.n_joined += account.n_joined
    tally.n_duplicates += account.n_repeated
    tally.n_past_horizon += account.n_past_horizon
    tally.n_crowded_out += account.n_crowded_out
    for position, reason in account.refused:
        tally.rejected[reason] += 1
        _append(holding.fresh.letters, batch, position, str(reason), now_us, {})


def event_hash(event_id: str) -> int:
    """Return 64 bits of an event id, the same in every process.

    Two of ten million different ids share a hash with a probability of 3 in a million.
    """
    return int.from_bytes(hashlib.blake2b(event_id.encode(), digest_size=8).digest(), "big")


def encode_hashes(hashes: list[int]) -> bytes:
    """Return hashes as 8 bytes each."""
    return np.array(hashes, dtype=np.uint64).tobytes()


def decode_hashes(body: bytes) -> list[int]:
    """Return the hashes that `encode_hashes` wrote."""
    hashes: npt.NDArray[np.uint64] = np.frombuffer(body, dtype=np.uint64)
    return [int(each) for each in hashes.tolist()]


def origin_of(batch: Batch) -> Origin:
    """Return where a batch's records come from; lines count its payloads."""
    return Origin(path=batch.partition, position=f"from {batch.first}", first_line=1)


def _without_known(batch: Batch, position: int | None) -> Batch:
    """Return a batch without the records that come before a position."""
    if position is None or batch.first >= position:
        return batch
    positions = batch.positions or range(batch.first, batch.first + len(batch.payloads))
    known = sum(place < position for place in positions)
    too_long = [place for place in batch.too_long if place >= position]
    return Batch(
        partition=batch.partition,
        payloads=batch.payloads[known:],
        first=max(batch.first, position),
        next=max(batch.next, position),
        positions=list(positions)[known:],
        too_long=too_long,
    )


def _keep_letters(letters: list[Letter], batch: Batch, decoded: Decoded, now_us: int) -> None:
    counted: Counter[str] = Counter(letter.reason for letter in letters)
    for rejection in decoded.rejections:
        reason = str(rejection.reason)
        counted[reason] += 1
        if counted[reason] <= _MAX_LETTERS:
            letters.append(_letter(batch, rejection, now_us))


def _letter(batch: Batch, rejection: Rejection, now_us: int) -> Letter:
    index = (rejection.line or 1) - 1
    place = batch.first + index if batch.positions is None else batch.positions[index]
    body = {"column": rejection.column, "detail": rejection.detail, "excerpt": rejection.excerpt}
    return Letter(
        partition=batch.partition,
        position=place,
        reason=str(rejection.reason),
        recorded_us=now_us,
        body={key: value for key, value in body.items() if value},
    )


def _append(
    letters: list[Letter],
    batch: Batch,
    position: int,
    reason: str,
    now_us: int,
    body: dict[str, int],
) -> None:
    if sum(letter.reason == reason for letter in letters) < _MAX_LETTERS:
        letters.append(
            Letter(
                partition=batch.partition,
                position=position,
                reason=reason,
                recorded_us=now_us,
                body=body,
            )
        )
