"""The demo's events as moe/1 records: one compressed JSON Lines file a day."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.demo.assistant_records import assistant_lines
from monitor.demo.loan_records import loan_lines
from monitor.demo.loan_scorer import draw_loans
from monitor.demo.scenario import DAYS, LOAN_SCORER, SUPPORT_ASSISTANT, at, scenario_record
from monitor.demo.support_assistant import draw_answers

__all__ = ["Written", "write_events"]

_COMPRESSION_LEVEL = 4  # half the time of the default for a tenth more bytes
_LOAN_SHARE = 3, 7  # of the events, the rest are the assistant's


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written.

    Parameters
    ----------
    events
        Number of events by system.
    bytes_on_disk
        Size of all event files.
    """

    events: dict[str, int]
    bytes_on_disk: int


def write_events(
    directory: Path,
    *,
    n_events: int,
    seed: int,
    progress: Callable[[str], None] | None = None,
) -> Written:
    """Write ``<directory>/<system>/events/<day>.jsonl.gz`` and ``<directory>/scenario.json``.

    The same seed and number of events give the same bytes.

    Parameters
    ----------
    directory
        Created where it is missing; files of the same names are replaced.
    n_events
        Events of both systems together, at least 100.
    seed
        Of every random draw.
    progress
        Called with a sentence before each step.

    Raises
    ------
    ValueError
        If `n_events` is too small.
    """
    if n_events < 100:
        message = f"the demo needs at least 100 events, got {n_events}"
        raise ValueError(message)
    say = progress or (lambda _sentence: None)
    of_loans, of_answers = np.random.default_rng(seed).spawn(2)
    n_loans = n_events * _LOAN_SHARE[0] // _LOAN_SHARE[1]
    say(f"writing {n_loans:,} events of {LOAN_SCORER}")
    loans = draw_loans(n_loans, of_loans)
    size = _write(directory / LOAN_SCORER / "events", loans.time_us, loan_lines(loans))
    say(f"writing {n_events - n_loans:,} events of {SUPPORT_ASSISTANT}")
    answers = draw_answers(n_events - n_loans, of_answers)
    folder = directory / SUPPORT_ASSISTANT / "events"
    size += _write(folder, answers.time_us, assistant_lines(answers))
    events = {LOAN_SCORER: n_loans, SUPPORT_ASSISTANT: n_events - n_loans}
    record = scenario_record(seed=seed, events=events)
    (directory / "scenario.json").write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return Written(events=events, bytes_on_disk=size)


def _write(folder: Path, time_us: npt.NDArray[np.int64], lines: Iterator[str]) -> int:
    """Write the lines, which are in order of time, to one file a day; return their size."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = np.searchsorted(time_us, [at(day + 1) for day in range(1, DAYS + 1)])
    size, begin = 0, 0
    for day, end in enumerate(ends, start=1):
        text = "".join(next(lines) for _ in range(end - begin))
        packed = gzip.compress(text.encode(), _COMPRESSION_LEVEL, mtime=0)
        (folder / f"2026-09-{day:02d}.jsonl.gz").write_bytes(packed)
        size += len(packed)
        begin = int(end)
    return size
