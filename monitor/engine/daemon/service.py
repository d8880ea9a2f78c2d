"""Everything a running monitor needs, put together from a configuration."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from baselines.baseline import Baseline
from baselines.counting import Counter
from baselines.schema import Role
from monitor.clock import Clock
from monitor.config.decision import DecisionQuestion
from monitor.config.model import Configuration
from monitor.decoding.base import Needs
from monitor.decoding.message_batch import MessageDecoder
from monitor.decoding.plan import plan_decoding
from monitor.engine.audit import check_baseline
from monitor.engine.daemon.checkpoint import CheckpointWriter
from monitor.engine.daemon.deciding import Decider
from monitor.engine.daemon.frontier import Patience
from monitor.engine.daemon.identity import monitor_row
from monitor.engine.daemon.intake import Intake, origin_of
from monitor.engine.daemon.observing import Observer
from monitor.engine.daemon.ownership import Ownership
from monitor.engine.daemon.switching import Switch, take_up
from monitor.engine.daemon.upkeep import Upkeep
from monitor.engine.daemon.worker import Ending, Worker
from monitor.engine.incident_desk import monitor_name
from monitor.engine.partition import Partition
from monitor.engine.planning import needed_columns
from monitor.engine.worker_names import worker_name
from monitor.errors import OutputwatchError
from monitor.features.registry import with_features
from monitor.severity.registry import SeverityPolicy
from monitor.sources.inbox import InboxSource, inbox_name
from monitor.sources.labelled import Labelled
from monitor.sources.labelled_stream.joining import Joining
from monitor.sources.live import LiveSource, LiveStream
from monitor.storage.retention_jobs import note_job
from monitor.storage.store import AuditJob, Store
from monitor.windows.spec import TumblingWindows

__all__ = ["NotRunnableError", "Service", "check_runnable", "worker_name"]

_US = 1_000_000
_AFFIRMED_SECONDS = 30.0


class NotRunnableError(OutputwatchError):
    """The configuration is valid, but not for `outputwatch run`."""


@dataclass(slots=True, kw_only=True)
class Service:
    """One worker of a monitor, ready to be opened.

    Parameters
    ----------
    configuration, baseline
        What is watched, and what windows are compared with.
    baseline_of
        Returns other baselines by id: windows that are open when the baseline changes are
        stored under the one that they were counted on.
    store
        The database.
    policy
        Suggests severity tiers.
    clock
        The wall clock.
    name
        Of this worker.

    Raises
    ------
    NotRunnableError
        If the source cannot be followed, or windows or question are those of a batch.
    BaselineMismatchError
        If the baseline does not fit the configuration.
    """

    configuration: Configuration
    baseline: Baseline
    baseline_of: Callable[[str], Baseline]
    store: Store
    policy: SeverityPolicy
    clock: Clock
    name: str

    def __post_init__(self) -> None:
        check_runnable(self.configuration)
        check_baseline(self.configuration, self.baseline, with_features(self.configuration.schema))

    def take_up(self) -> Switch:
        """Bring the database to this configuration and return what that changed."""
        switch = take_up(
            self.store,
            self.store.streams(monitor_name(self.configuration)),
            monitor_row(self.configuration, self.baseline, self._windows),
            windows=self._windows,
            baseline_of=self.baseline_of,
        )
        self.store.write_job(
            AuditJob(
                id=switch.row.job_id,
                config_digest=switch.row.policy_digest,
                baseline_id=self.baseline.id,
                created_us=self.clock.now_us(),
            )
        )
        note_job(
            self.store,
            monitor_name(self.configuration),
            switch.row.job_id,
            now_us=self.clock.now_us(),
        )
        return switch

    def run(
        self,
        switch: Switch,
        observer: Observer,
        stopping: threading.Event,
        *,
        until_caught_up: bool = False,
    ) -> Ending:
        """Follow the source until told to stop, or until everything there is was read."""
        configuration, settings = self.configuration, self.configuration.run
        streams = self.store.streams(monitor_name(configuration))
        ownership = Ownership(
            streams=streams,
            worker=self.name,
            clock=self.clock,
            n_cells=self.baseline.layout.n_cells,
            deduplicate=settings.deduplicate,
            lease_us=_patience(configuration).affirmed_us,
        )
        decider = Decider(
            configuration=configuration,
            baseline=self.baseline,
            store=self.store,
            streams=streams,
            policy=self.policy,
            clock=self.clock,
            windows=self._windows,
            beat=observer.beat,
        )
        writer = CheckpointWriter(
            store=self.store,
            streams=streams,
            decider=decider,
            clock=self.clock,
            windows=self._windows,
            patience=_patience(configuration),
            expected=switch.row,
            max_letters=configuration.dead_letters.max_samples_per_reason,
            amend_values=configuration.slices.max_values if settings.late == "amend" else None,
        )
        intake = self._intake()
        intake.closed_us = switch.row.closed_us

        def wait(seconds: float) -> bool:
            observer.beat()
            return stopping.wait(seconds)

        def reopen() -> LiveStream:
            return self._open(ownership, wait)

        worker = Worker(
            settings=settings,
            ownership=ownership,
            stream=reopen(),
            reopen=reopen,
            intake=intake,
            writer=writer,
            observer=observer,
            clock=self.clock,
            monotonic=time.monotonic,
            wait=time.sleep,
            until_caught_up=until_caught_up,
            between=None if until_caught_up else self._upkeep(),
            stopping=stopping,
        )
        try:
            return worker.run()
        finally:
            worker.stream.close()
            ownership.leave()

    def _upkeep(self) -> Upkeep:
        return Upkeep(
            store=self.store,
            settings=self.configuration.retention,
            monitor=monitor_name(self.configuration),
            clock=self.clock,
            monotonic=time.monotonic,
        )

    @property
    def _windows(self) -> TumblingWindows:
        windows = self.configuration.windows
        if not isinstance(windows, TumblingWindows):
            raise NotRunnableError(_COUNT_WINDOWS)
        return windows

    @property
    def _source(self) -> LiveSource:
        source = self.configuration.source
        if not isinstance(source, LiveSource):
            message = f"the source {source.name!r} cannot be followed; audit it instead"
            raise NotRunnableError(message)
        return source

    def _open(self, ownership: Ownership, wait: Callable[[float], bool]) -> LiveStream:
        source = self.configuration.source
        if isinstance(source, InboxSource):
            inbox = self.store.inbox(monitor_name(self.configuration), self.clock)
            return source.open(ownership, worker=self.name, inbox=inbox)
        if isinstance(source, Labelled):
            return source.open(ownership, worker=self.name, joining=self._joining(wait))
        return self._source.open(ownership, worker=self.name)

    def _joining(self, wait: Callable[[float], bool]) -> Joining:
        configuration = self.configuration
        name = monitor_name(configuration)
        columns = needed_columns(self.baseline.layout, configuration.slices.by)
        plan = plan_decoding(
            with_features(configuration.schema), Needs(columns=columns, event_ids=True)
        )
        if plan.event_id is None or plan.timestamp is None:
            raise NotRunnableError(_NO_EVENT_ID)
        return Joining(
            store=self.store.awaiting_label(name),
            inbox_of=lambda part: self.store.inbox(inbox_name(name, part), self.clock),
            id_path=plan.event_id.source_path,
            time_path=plan.timestamp.source_path,
            time_unit=plan.timestamp.unit,
            paths=plan.paths,
            rule=plan.rule,
            now_us=self.clock.now_us,
            wait=wait,
            max_future_us=int(configuration.run.max_future_seconds * _US),
        )

    def _intake(self) -> Intake:
        configuration = self.configuration
        settings = configuration.run
        needs = Needs(
            columns=needed_columns(self.baseline.layout, configuration.slices.by),
            event_ids=settings.deduplicate,
        )
        decoder = MessageDecoder(plan_decoding(with_features(configuration.schema), needs))
        return Intake(
            decode=lambda batch: decoder.decode(batch.payloads, origin_of(batch)),
            partition=Partition(windows=self._windows, by=configuration.slices.by),
            counter=Counter(self.baseline.layout),
            windows=self._windows,
            max_future_us=int(settings.max_future_seconds * _US),
            deduplicate=settings.deduplicate,
            amend=settings.late == "amend",
        )


_NO_EVENT_ID = (
    "a source of type 'labelled' needs columns of the roles 'event_id' and 'timestamp' in the "
    "schema"
)
_COUNT_WINDOWS = (
    "windows of a number of events need the whole log in order; 'outputwatch run' takes windows "
    "of type 'tumbling'"
)


def check_runnable(configuration: Configuration) -> None:
    """Raise NotRunnableError, with every reason, unless the configuration can be run."""
    problems: list[str] = []
    if not isinstance(configuration.windows, TumblingWindows):
        problems.append(f"windows: {_COUNT_WINDOWS}")
    if configuration.decision.question is DecisionQuestion.COMPARISON:
        problems.append(
            "decision.question: a comparison asks about a whole batch; a stream is monitored"
        )
    if not isinstance(configuration.source, LiveSource):
        name = getattr(configuration.source, "name", "?")
        problems.append(f"source: {name!r} cannot be followed")
    if isinstance(configuration.source, Labelled) and None in (
        configuration.schema.only(Role.EVENT_ID),
        configuration.schema.only(Role.TIMESTAMP),
    ):
        problems.append(f"schema: {_NO_EVENT_ID}")
    if problems:
        raise NotRunnableError(f"{configuration.path}: " + "; ".join(problems))


def _patience(configuration: Configuration) -> Patience:
    settings = configuration.run
    affirmed = max(_AFFIRMED_SECONDS, 3 * settings.checkpoint_seconds)
    return Patience(
        idle_us=int(settings.idle_seconds * _US),
        affirmed_us=int(affirmed * _US),
        unattended_us=int(settings.unattended_seconds * _US),
    )
