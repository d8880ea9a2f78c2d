"""The week after the demo's month: the filter answers again, what else was planted goes on."""

import dataclasses
import gzip
from pathlib import Path
from typing import Final

import numpy as np

from monitor.demo.assistant_records import assistant_lines
from monitor.demo.scenario import DAYS, START_US, SUPPORT_ASSISTANT, at
from monitor.demo.support_assistant import STARTS, draw_answers

__all__ = ["MENDED", "WEEK_AFTER", "write_week_after"]

MENDED: Final = "dead-output-filter"
"""What the demo's response repairs."""

WEEK_AFTER: Final = range(DAYS + 1, DAYS + 9)
"""Days of the demo, 31 is the first after the month."""

_SHIFT_DAYS: Final = 28  # whole weeks, so that Thursdays stay Thursdays
_DAY_US: Final = 86_400_000_000


def write_week_after(directory: Path, *, n_answers: int, seed: int) -> int:
    """Write a file of answers for each day and return how many answers there are.

    Parameters
    ----------
    directory
        That of the demo.
    n_answers
        Answers of the month, which sets how many a day has.
    seed
        Of the demo.
    """
    starts = {key: START_US for key in STARTS if key != MENDED}
    month = draw_answers(n_answers, np.random.default_rng([seed, DAYS + 1]), starts)
    folder = directory / SUPPORT_ASSISTANT / "events"
    written = 0
    for day in WEEK_AFTER:
        like = day - _SHIFT_DAYS
        begin, end = np.searchsorted(month.time_us, [at(like), at(like + 1)])
        part = {
            field.name: getattr(month, field.name)[begin:end]
            for field in dataclasses.fields(month)
        }
        part["time_us"] = part["time_us"] + _SHIFT_DAYS * _DAY_US
        part["session"] = part["session"] + n_answers
        events = dataclasses.replace(month, **part)
        text = "".join(assistant_lines(events, first=n_answers + written))
        packed = gzip.compress(text.encode(), 4, mtime=0)
        (folder / f"2026-10-{day - DAYS:02d}.jsonl.gz").write_bytes(packed)
        written += int(end - begin)
    return written
