"""A stored incident, a desk over it, and the people who work on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detectors.base import FailureMode
from monitor.engine.notifying import Tell, tell_nobody
from monitor.engine.response.acting import ActingDesk
from monitor.engine.response.rolling.desk import RollbackDesk
from monitor.incidents.acts.base import Occasion
from monitor.incidents.acts.opening import Report
from monitor.incidents.model import Incident
from monitor.incidents.roles import People, Person, Role
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind, RecordedEntry
from monitor.rollbacks.plans import RollbackPlan
from monitor.storage.store import Store
from tests.monitor.rollbacks.planes import TickingClock

MONITOR = "scorer/production"
ADA = Person(name="ada", role=Role.COMMANDER)
BEN = Person(name="ben", role=Role.ML_LEAD)
EVE = Person(name="eve", role=Role.ON_CALL)
DAN = Person(name="dan", role=Role.SCRIBE)
PEOPLE = People(
    members={
        "ada": (Role.COMMANDER, Role.ML_LEAD),
        "ben": (Role.ML_LEAD, Role.COMMANDER),
        "eve": (Role.ON_CALL,),
        "dan": (Role.SCRIBE,),
        "olga": (Role.OWNER,),
    }
)


class Case:
    """One incident of one monitor with a desk for its rollbacks."""

    def __init__(
        self, store: Store, plan: RollbackPlan, clock: TickingClock, tell: Tell = tell_nobody
    ) -> None:
        self.store = store
        self.clock = clock
        self.desk = RollbackDesk(
            store=store,
            monitor=MONITOR,
            plans=(plan,),
            clock=clock,
            people=PEOPLE,
            tell=tell,
            wait=clock.wait,
            owner="first",
        )
        self.acting = ActingDesk(store=store, monitor=MONITOR, clock=clock, people=PEOPLE)
        self.id = self.opened()

    def opened(self, tier: Tier = Tier.SEV3) -> str:
        report = Report(
            system="scorer",
            environment="production",
            title=f"the gap doubled, {tier.value}",
            failure_mode=FailureMode.BIAS,
            tier=tier,
            could_be=tier,
        )
        occasion = Occasion(by=EVE, reason="seen", now_us=self.clock.now_us())
        return self.acting.open(report, occasion).id

    @property
    def incident(self) -> Incident:
        return self.store.incidents(MONITOR).find(self.id)

    @property
    def timeline(self) -> tuple[RecordedEntry, ...]:
        return self.store.incidents(MONITOR).timeline(self.id)

    @property
    def kinds(self) -> list[EntryKind]:
        return [each.entry.kind for each in self.timeline]


@contextmanager
def case_in(
    folder: Path, plan: RollbackPlan, clock: TickingClock, tell: Tell = tell_nobody
) -> Iterator[Case]:
    with Store.open(f"sqlite:///{folder / 'monitor.db'}") as store:
        yield Case(store, plan, clock, tell)
