"""Samples of the records that a running monitor did not count."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from monitor.storage.statements import upsert
from monitor.storage.stream_monitor import MonitorRepository
from monitor.storage.stream_rows import Letter
from monitor.storage.stream_tables import stream_letter

__all__ = ["LetterRepository"]


class LetterRepository(MonitorRepository):
    """The dead letters of one running monitor."""

    def add_letters(self, letters: Sequence[Letter], *, limit: int) -> int:
        """Keep samples of what was not counted, `limit` of each reason; return how many."""
        kept = 0
        with self._writing() as connection:
            counts: dict[str, int] = {}
            for letter in letters:
                if letter.reason not in counts:
                    counts[letter.reason] = self._letters(connection, letter.reason)
                if counts[letter.reason] >= limit:
                    continue
                counts[letter.reason] += 1
                kept += 1
                row = {
                    "monitor": self.name,
                    "partition": letter.partition,
                    "position": letter.position,
                    "reason": letter.reason,
                    "recorded_us": letter.recorded_us,
                    "body": dict(letter.body),
                }
                upsert(connection, stream_letter, [row], replace=False)
        return kept

    def letters(self, *, limit: int = 1_000) -> tuple[Letter, ...]:
        """Return samples of what was not counted, by partition and position."""
        table = stream_letter
        query = select(table).where(table.c.monitor == self.name)
        query = query.order_by(table.c.partition, table.c.position, table.c.reason).limit(limit)
        with self._reading() as connection:
            return tuple(
                Letter(
                    partition=row.partition,
                    position=row.position,
                    reason=row.reason,
                    recorded_us=row.recorded_us,
                    body=row.body,
                )
                for row in connection.execute(query)
            )

    def _letters(self, connection: Connection, reason: str) -> int:
        table = stream_letter
        query = select(func.count()).where(table.c.monitor == self.name, table.c.reason == reason)
        return int(connection.scalar(query) or 0)
