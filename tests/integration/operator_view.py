"""What people see of a notice: metrics, log and incidents."""

from dataclasses import dataclass
from pathlib import Path

from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.engine.daemon.self_watch import SelfWatch
from monitor.engine.daemon.telling import TelemetryObserver, vocabulary
from monitor.severity.scoring import FiveAxes
from monitor.sources.live import Notice
from monitor.storage.store import Store
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Metrics
from tests.monitor.engine.daemon.toy import HOUR, START, baseline, configure

__all__ = ["OperatorView", "seen"]


@dataclass(frozen=True)
class OperatorView:
    """What is on the dashboards after a notice.

    Parameters
    ----------
    metrics
        The lines that a scraper gets.
    incidents
        Title and first sentence of each incident.
    """

    metrics: tuple[str, ...]
    incidents: tuple[tuple[str, str], ...]


def seen(notice: Notice, folder: Path) -> OperatorView:
    """Return what is seen of a notice by those who run a small monitor in a folder."""
    configuration = load_configuration(configure(folder))
    clock = FixedClock((START + 10 * HOUR) * 1_000_000)
    metrics = Metrics(vocabulary(), version="0")
    with Store.open(configuration.storage.url) as store:
        observer = TelemetryObserver(
            metrics=metrics,
            health=Health(stalled_after_seconds=60),
            self_watch=SelfWatch(
                configuration=configuration,
                baseline=baseline(),
                store=store,
                policy=FiveAxes(),
                clock=clock,
                window_us=HOUR * 1_000_000,
            ),
            heartbeat=None,
            clock=clock,
            store=store,
            monitor="toy/test",
        )
        observer.noticed(notice)
        incidents = tuple(
            (each.title, each.signals[0].first.sentence)
            for each in store.incidents("toy/test").all()
        )
    return OperatorView(tuple(metrics.exposition().decode().splitlines()), incidents)
