"""Standard input: the output of another program, one JSON object a line."""

import os
import selectors
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from monitor.sources.base import SourceError, source
from monitor.sources.lines import LineCutter, Lines
from monitor.sources.live import Batch, Claims, LiveStream, Notice
from monitor.sources.live_only import LiveOnly

__all__ = ["PARTITION", "Stdin", "StdinStream"]

PARTITION = "stdin"
_PIECE_BYTES = 64 << 10


@source
@dataclass(frozen=True, slots=True, kw_only=True)
class Stdin(LiveOnly):
    """Standard input, one JSON object a line, read by `outputwatch run` until it ends.

    It cannot be read again: lines that were read and not yet counted when the program is killed
    are lost. Positions are numbers of lines, counted on from run to run.

    Parameters
    ----------
    max_line_bytes
        The longest line that is accepted.
    """

    name: ClassVar[str] = "stdin"
    max_line_bytes: Annotated[int, at.Ge(1_024)] = 8 << 20

    def open(self, claims: Claims, *, worker: str) -> LiveStream:
        """Return the stream of lines.

        Raises
        ------
        SourceError
            If there is no standard input.
        """
        del worker
        if sys.stdin is None or sys.stdin.closed:
            message = "standard input must be open; start with a pipe: 'program | outputwatch run'"
            raise SourceError(message)
        return StdinStream(sys.stdin.fileno(), claims, max_line_bytes=self.max_line_bytes)


class StdinStream:
    """The lines of a pipe, a terminal or a file that is open already.

    Parameters
    ----------
    descriptor
        The number of the open file.
    claims
        How the one partition is taken over.
    max_line_bytes
        The longest line that is handed on.
    wait
        Waits for so many seconds.
    """

    def __init__(
        self,
        descriptor: int,
        claims: Claims,
        *,
        max_line_bytes: int,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._descriptor = descriptor
        self._wait = wait
        known = claims.claim({PARTITION: ""}).get(PARTITION)
        self._position = 0 if known is None or known.position is None else known.position
        self._cutter = LineCutter(0, max_line_bytes=max_line_bytes)
        self._has_ended = self._is_paused = False
        self._is_quiet = False
        self._selector: selectors.BaseSelector = selectors.DefaultSelector()
        try:
            self._selector.register(descriptor, selectors.EVENT_READ)
        except (PermissionError, ValueError):
            # A plain file is always ready, and Linux refuses to wait for one.
            self._selector.close()
            self._selector = selectors.SelectSelector()
            self._selector.register(descriptor, selectors.EVENT_READ)

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Batch]:
        """Return the lines that have come; those of one read, however small `max_records` is."""
        if self._is_paused or self._has_ended:
            # Whoever polls in a loop expects that a poll without records takes its time.
            self._wait(timeout_seconds)
            return ()
        self._is_quiet = not self._selector.select(timeout_seconds)
        if self._is_quiet:
            return ()
        piece = os.read(self._descriptor, min(_PIECE_BYTES, max(1, max_records) * 256))
        self._has_ended = not piece
        lines = self._cutter.feed(piece) if piece else self._cutter.finish()
        return (self._batch(lines),) if len(lines) else ()

    def notices(self) -> Sequence[Notice]:
        """Return nothing: a pipe has no troubles but its end."""
        return ()

    def caught_up(self) -> frozenset[str]:
        """Return the one partition if nothing was waiting at the last poll."""
        return frozenset({PARTITION} if self._is_quiet or self._has_ended else ())

    def ended(self) -> frozenset[str]:
        """Return the one partition once the input was closed."""
        return frozenset({PARTITION} if self._has_ended else ())

    def lag(self) -> Mapping[str, int]:
        """Return nothing: what waits in a pipe cannot be known."""
        return {}

    def pause(self) -> None:
        """Read nothing until `resume`; the program that writes waits."""
        self._is_paused = True

    def resume(self) -> None:
        """Go on."""
        self._is_paused = False

    def committed(self, positions: Mapping[str, int]) -> None:
        """Take note of nothing."""
        del positions

    def close(self) -> None:
        """Stop waiting for the input; it stays open."""
        self._selector.close()

    def _batch(self, lines: Lines) -> Batch:
        """Number the records in order of their places in the input."""
        first = self._position
        places = sorted([*lines.positions, *lines.too_long])
        numbers = {place: first + index for index, place in enumerate(places)}
        self._position += len(places)
        return Batch(
            partition=PARTITION,
            payloads=lines.payloads,
            first=first,
            next=self._position,
            positions=tuple(numbers[place] for place in lines.positions),
            too_long=tuple(numbers[place] for place in lines.too_long),
        )
