"""A plane made of files, a serving path that may lag behind it, and a ledger in a database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.rollbacks.means import Means
from monitor.rollbacks.plans import RollbackPlan
from monitor.storage import Store
from monitor.storage.rollbacks import RollbackRepository
from tests.monitor.rollbacks.planes import Plane, TickingClock, means_for, plan_for
from tests.monitor.storage.conftest import database_url as any_database_url
from tests.monitor.storage.conftest import postgresql_server

__all__ = ["any_database_url", "postgresql_server"]


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'outputwatch.db'}"


@pytest.fixture
def ledger(database_url: str) -> Iterator[RollbackRepository]:
    with Store.open(database_url) as store:
        yield store.rollbacks()


@pytest.fixture
def plane(tmp_path: Path) -> Plane:
    return Plane(tmp_path / "plane")


@pytest.fixture
def plan(plane: Plane) -> RollbackPlan:
    return plan_for(plane)


@pytest.fixture
def means(ledger: RollbackRepository, clock: TickingClock) -> Means:
    return means_for(ledger, clock)
