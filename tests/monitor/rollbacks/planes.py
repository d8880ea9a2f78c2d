"""A plane and a serving path in files, so that faults can be made to happen at will."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from monitor.rollbacks.adapter import Applied, Diff, Observed
from monitor.rollbacks.errors import MovedError, UnreadableError
from monitor.rollbacks.ledger import RollbackLedger
from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import (
    Evidence,
    PlanKind,
    PlanOptions,
    Release,
    RollbackPlan,
    Verification,
)

START_US = 1_790_000_000_000_000
SECOND_US = 1_000_000
EVIDENCE = "evaluation of 2026-11-01"


@dataclass
class TickingClock:
    """A clock that only `wait` moves."""

    us: int = START_US

    def now_us(self) -> int:
        return self.us

    def wait(self, seconds: float) -> None:
        self.us += int(seconds * SECOND_US)


class Plane:
    """Files with what is in force and what is served; the switch is counted."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.write("plane", "v8")
        self.write("serving", "v8")
        self.write("applied", "0")
        self.write("follows", "yes")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    @property
    def n_applied(self) -> int:
        return int(self.read("applied"))

    def switch(self, to: str) -> None:
        self.write("plane", to)
        self.write("applied", str(self.n_applied + 1))
        if self.read("follows") == "yes":
            self.write("serving", to)


FAULTS: dict[str, Callable[[Plane], None] | None] = {}


@dataclass(frozen=True, kw_only=True)
class FileAdapter:
    """Switches a `Plane`; what `FAULTS` has for it happens instead of the switch."""

    name: ClassVar[str] = "file_for_tests"
    folder: str
    timeout_seconds: float = 1.0

    @property
    def plane(self) -> Plane:
        plane = Plane.__new__(Plane)
        plane.folder = Path(self.folder)
        return plane

    def observe(self) -> Observed:
        value = self.plane.read("plane")
        if value == "unreadable":
            message = "the plane is away"
            raise UnreadableError(message)
        return Observed(value=value, reference=value, revision=value)

    def diff(self, to: str) -> Diff:
        now = self.observe().value
        return Diff(from_value=now, to_value=to, text=f"{now} -> {to}")

    def apply(self, expect: Observed, to: str, *, key: str) -> Applied:
        if self.observe().revision != expect.revision:
            message = "moved"
            raise MovedError(message)
        self.plane.write("key", key)
        fault = FAULTS.get(self.folder)
        if fault is not None:
            fault(self.plane)
        else:
            self.plane.switch(to)
        return Applied()


@dataclass(frozen=True, kw_only=True)
class FileProbe:
    """Reads what a `Plane` serves."""

    name: ClassVar[str] = "file_for_tests"
    folder: str
    timeout_seconds: float = 1.0

    def read(self) -> str:
        return (Path(self.folder) / "serving").read_text()


def plan_for(
    plane: Plane,
    *,
    fault: Callable[[Plane], None] | None = None,
    evidence: Evidence = Evidence.PASSING,
    cache_seconds: float = 0.0,
    high_risk: bool = False,
    to: str = "previous",
) -> RollbackPlan:
    FAULTS[str(plane.folder)] = fault
    source = EVIDENCE if evidence is Evidence.PASSING else ""
    return RollbackPlan(
        options=PlanOptions(
            name="scorer back",
            kind=PlanKind.MODEL,
            target="scorer",
            owner="mo",
            to=to,
            releases=(
                Release(reference="v6", evidence=Evidence.NONE),
                Release(reference="v7", evidence=evidence, evidence_source=source),
                Release(reference="v8"),
            ),
            high_risk=high_risk,
            verification=Verification(
                reads=3, interval_seconds=2, max_minutes=2, cache_seconds=cache_seconds
            ),
        ),
        adapter=FileAdapter(folder=str(plane.folder)),
        probe=FileProbe(folder=str(plane.folder)),
    )


def means_for(ledger: RollbackLedger, clock: TickingClock, owner: str = "first") -> Means:
    return Means(ledger=ledger, clock=clock, owner=owner, wait=clock.wait)
