"""The life of the process: signals, telemetry, and configurations that follow each other."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from sqlalchemy.exc import DBAPIError

from baselines.baseline import Baseline
from monitor import __version__
from monitor.clock import Clock
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.decision.heartbeat import Heartbeat
from monitor.engine.audit import check_baseline
from monitor.engine.daemon.attending import attending, duties_of
from monitor.engine.daemon.checkpoint import CommittedUnawaresError
from monitor.engine.daemon.self_watch import SelfWatch
from monitor.engine.daemon.senders import sending
from monitor.engine.daemon.service import Service, check_runnable, worker_name
from monitor.engine.daemon.summary import RunSummary, summarise
from monitor.engine.daemon.switching import Switch
from monitor.engine.daemon.telling import TelemetryObserver, vocabulary
from monitor.engine.daemon.worker import Ending
from monitor.engine.incident_desk import monitor_name
from monitor.engine.promoted import promoted_baseline, stored_baseline
from monitor.errors import OutputwatchError
from monitor.features.registry import with_features
from monitor.printing import time_text
from monitor.storage.compaction import first_full
from monitor.storage.connection import refusal
from monitor.storage.errors import StorageError
from monitor.storage.store import Store
from monitor.telemetry.health import Condition, Health
from monitor.telemetry.logs import get_logger
from monitor.telemetry.metrics import Metrics
from monitor.telemetry.server import TelemetryServer
from monitor.telemetry.watchdog import Watchdog
from monitor.windows.slices import ALL

__all__ = ["Process"]

_LOG = get_logger(__name__)
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """A configuration that can be run, with its baseline."""

    configuration: Configuration
    baseline: Baseline


@dataclass(slots=True, kw_only=True)
class Process:
    """Runs a configuration until it is told to stop; SIGHUP brings in its new version.

    Parameters
    ----------
    path
        The configuration.
    clock
        The wall clock.
    worker
        The name of this worker; None: host and process number.
    until_caught_up
        Whether to end once everything that is there was read.
    """

    path: str
    clock: Clock
    worker: str | None = None
    until_caught_up: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)
    _reload: threading.Event = field(default_factory=threading.Event)
    _wake: threading.Event = field(default_factory=threading.Event)
    _next: _Loaded | None = None

    def run(self) -> RunSummary:
        """Return what was done, once it is over.

        Raises
        ------
        OutputwatchError
            If the configuration cannot be run, or the worker had to give up.
        """
        loaded = self._load()
        metrics = Metrics(vocabulary(), version=__version__)
        settings = loaded.configuration.run
        health = Health(stalled_after_seconds=settings.watchdog_seconds)
        with ExitStack() as stack:
            if settings.telemetry is not None:
                host, port = _address(settings.telemetry)
                server = TelemetryServer(metrics, health, host=host, port=port)
                stack.enter_context(server)
                _LOG.info("health and metrics are served", host=host, port=server.port)
            stack.enter_context(Watchdog(health, seconds=settings.watchdog_seconds))
            stack.callback(self._restore_signals, self._take_signals())
            stack.enter_context(_refusals_in_words())
            while True:
                try:
                    ending = self._follow(loaded, metrics, health)
                except CommittedUnawaresError as error:
                    _LOG.warning("the worker begins again where the database is", error=error)
                    if not self._stop.is_set():
                        continue
                    ending = Ending.STOPPED
                if self._next is None or self._stop.is_set():
                    break
                loaded, self._next = self._next, None
            return self._summary(loaded, ending)

    def _follow(self, loaded: _Loaded, metrics: Metrics, health: Health) -> Ending:
        configuration, baseline = loaded.configuration, loaded.baseline
        self._wake.clear()
        if self._stop.is_set():
            # The signal came before the line above.
            self._wake.set()
        with Store.open(configuration.storage.url) as store:
            service = Service(
                configuration=configuration,
                baseline=baseline,
                baseline_of=lambda id_: stored_baseline(configuration, id_),
                store=store,
                policy=configuration.severity,
                clock=self.clock,
                name=self.worker or worker_name(),
            )
            switch = service.take_up()
            _tell(switch, service.name, first_full(store, switch.row.job_id))
            observer = self._observer(loaded, store, metrics, health)
            reloading = threading.Thread(target=self._await_reload, daemon=True)
            reloading.start()
            try:
                with (
                    sending(store, configuration, self.clock, metrics),
                    attending(
                        duties_of(store, configuration, self.clock, metrics), metrics, self.clock
                    ),
                ):
                    return service.run(
                        switch, observer, self._wake, until_caught_up=self.until_caught_up
                    )
            finally:
                health.fails(Condition.SOURCE, "the source is closed")
                self._wake.set()
                reloading.join()

    def _observer(
        self, loaded: _Loaded, store: Store, metrics: Metrics, health: Health
    ) -> TelemetryObserver:
        configuration = loaded.configuration
        windows = configuration.windows
        length_us = int(getattr(windows, "length_us", 3_600_000_000))
        lateness = int(getattr(windows, "allowed_lateness_seconds", 0))
        metrics.windows_due_every(
            length_us / 1_000_000 + lateness + configuration.run.idle_seconds
        )
        history = [window for window in loaded.baseline.history if window.key.slice == ALL]
        return TelemetryObserver(
            metrics=metrics,
            health=health,
            self_watch=SelfWatch(
                configuration=configuration,
                baseline=loaded.baseline,
                store=store,
                policy=configuration.severity,
                clock=self.clock,
                window_us=length_us,
            ),
            heartbeat=Heartbeat.from_history(
                history, utc_offset_seconds=configuration.decision.utc_offset_seconds
            ),
            clock=self.clock,
            store=store,
            monitor=monitor_name(configuration),
        )

    def _await_reload(self) -> None:
        """Take a new version of the configuration, whole or not at all, when told to."""
        while not self._wake.is_set():
            # Looked at again and again, so that ending it cannot be taken for a signal.
            if not self._reload.wait(_LOOK_SECONDS):
                continue
            self._reload.clear()
            try:
                self._next = self._load()
            except (OutputwatchError, OSError) as error:
                _LOG.error(
                    "the new configuration is refused, the old one stays", detail=str(error)
                )
                continue
            _LOG.info("the new configuration is taken over", path=self.path)
            self._wake.set()
            return

    def _load(self) -> _Loaded:
        configuration = load_configuration(Path(self.path))
        baseline = promoted_baseline(configuration)
        check_runnable(configuration)
        check_baseline(configuration, baseline, with_features(configuration.schema))
        return _Loaded(configuration=configuration, baseline=baseline)

    def _summary(self, loaded: _Loaded, ending: Ending) -> RunSummary:
        with Store.open(loaded.configuration.storage.url) as store:
            return summarise(store, loaded.configuration, ending)

    def _take_signals(self) -> dict[int, object]:
        if threading.current_thread() is not threading.main_thread():
            return {}
        taken: dict[int, object] = {}
        for number, handler in (
            (signal.SIGTERM, self._on_stop),
            (signal.SIGINT, self._on_stop),
            (signal.SIGHUP, self._on_reload),
        ):
            taken[number] = signal.signal(number, handler)
        return taken

    def _restore_signals(self, taken: dict[int, object]) -> None:
        for number, handler in taken.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # as signal returned it

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()
        self._wake.set()

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reload.set()

    def stop(self) -> None:
        """Stop as SIGTERM does, from another thread."""
        self._stop.set()
        self._wake.set()


@contextmanager
def _refusals_in_words() -> Iterator[None]:
    """Raise one line for a database that refuses before or after a worker can wait for it."""
    try:
        yield
    except DBAPIError as error:
        message = (
            f"the database could not be used: {refusal(error)}; what was not written yet is read "
            "again at the next start"
        )
        raise StorageError(message) from error


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        message = f"run.telemetry must be host:port, for example 127.0.0.1:9469, got {text!r}"
        raise OutputwatchError(message)
    return host.strip("[]") or "127.0.0.1", int(port)


def _tell(switch: Switch, worker: str, windows_from_us: int | None) -> None:
    _LOG.info("a worker begins", worker=worker, decisions=switch.row.revision)
    if switch.n_closed_early:
        _LOG.warning(
            "the baseline or the cut of time changed: open windows were stored without a verdict",
            windows=switch.n_closed_early,
        )
    if switch.policy_changed:
        _LOG.info(
            "the policy changed: stored windows are judged anew for its evidence",
            windows_from=time_text(windows_from_us),
        )
