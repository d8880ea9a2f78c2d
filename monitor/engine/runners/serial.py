"""Units one after another in this process."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from baselines.counting import Counter
from monitor.engine.work import UnitResult, Work
from monitor.sources.base import Unit

__all__ = ["SerialRunner"]


@dataclass(frozen=True, slots=True)
class SerialRunner:
    """Runs units one after another."""

    def run(self, work: Work, units: Sequence[Unit]) -> Iterator[UnitResult]:
        """Yield the result of each unit, in order."""
        counter = Counter(work.layout)
        for unit in units:
            yield work.run(unit, counter)
