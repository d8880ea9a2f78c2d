"""What runs of chaos share: a baseline, scenarios with their undisturbed ends, and brokers."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.brokers.kafka_node.node import KafkaNode
from tests.brokers.small.broker import SmallBroker
from tests.monitor.storage.conftest import _new_database, postgresql_server
from tests.replay.chaos.blows import FROM_OUTSIDE
from tests.replay.chaos.outcome import Outcome
from tests.replay.chaos.rehearsal import Rehearsal, rehearsing
from tests.replay.chaos.scenario import Scenario
from tests.replay.chaos.setting import Setting
from tests.replay.chaos.space import Space, best_space
from tests.replay.chaos.stage import Stage

__all__ = ["postgresql_server"]

N_SCENARIOS = 3
ROWS, HOURS = 24, 16


@pytest.fixture(scope="session")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    return Setting.made(tmp_path_factory.mktemp("chaos"))


@pytest.fixture
def rehearsal(setting: Setting) -> Iterator[Callable[[int], Rehearsal]]:
    """Return a function that gives the rehearsal of a seed, on a database of its own."""

    def of(seed: int) -> Rehearsal:
        url = setting.fresh_sqlite(f"rehearsal-{seed}")
        return Rehearsal(
            configuration=setting.configuration(url, f"rehearsal-{seed}"),
            baseline=setting.baseline,
            scenario=_scenario(seed),
            seed=seed,
            url=url,
        )

    with rehearsing():
        yield of


@pytest.fixture(scope="session")
def undisturbed(setting: Setting) -> Callable[[int], Outcome]:
    """Return a function that gives what is left of a seed's scenario if nothing happens.

    It has been compared with what an audit of the same outputs finds.
    """

    @cache
    def of(scenario_seed: int) -> Outcome:
        scenario = _scenario(scenario_seed)
        url = setting.fresh_sqlite(f"undisturbed-{scenario_seed}")
        with rehearsing():
            found = Rehearsal(
                configuration=setting.configuration(url, f"undisturbed-{scenario_seed}"),
                baseline=setting.baseline,
                scenario=scenario,
                seed=scenario_seed,
                url=url,
            ).undisturbed()
        assert found.same_as_audit == setting.audited(scenario, f"audit-{scenario_seed}")
        assert found.same_as_audit.incident_ids
        assert (found.n_late, found.unaccounted, found.left_open) == (0, 0, 0)
        return found

    return lambda seed: of(seed % N_SCENARIOS)


@pytest.fixture(scope="session")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    """Return a folder for databases that can run out of space."""
    with best_space(tmp_path_factory.mktemp("space")) as space:
        yield space


@pytest.fixture(scope="session")
def stage(setting: Setting, space: Space) -> Iterator[Stage]:
    """Return a broker with the records of the first scenario."""
    with SmallBroker() as broker:
        yield Stage.filled(setting, _scenario(0), broker, space)


@pytest.fixture(scope="session")
def shared_stage(setting: Setting, space: Space, kafka: KafkaNode | SmallBroker) -> Stage:
    """Return the same on the broker that the session shares: a real node where there is one."""
    return Stage.filled(setting, _scenario(0), kafka, space, FROM_OUTSIDE)


@pytest.fixture
def postgresql_url(request: pytest.FixtureRequest) -> str:
    return _new_database(request.getfixturevalue("postgresql_server"))


@cache
def _scenario(seed: int) -> Scenario:
    return Scenario.seeded(seed % N_SCENARIOS, rows=ROWS, hours=HOURS)
