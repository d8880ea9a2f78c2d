"""The running monitor on payloads that no producer should send: counted or refused, never lost.

A few hundred batches are tried in the suite. With FUZZ_SECONDS it goes on for so long, from
another seed each time (`make fuzz`), and says how many payloads it has tried.
"""

import os
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from baselines.packing import decode_counts
from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.engine.daemon.observing import SilentObserver
from monitor.engine.daemon.service import Service
from monitor.engine.daemon.summary import summarise
from monitor.engine.daemon.tally import StreamTally
from monitor.engine.daemon.worker import Ending
from monitor.engine.fit import fit_baseline
from monitor.engine.incident_desk import monitor_name
from monitor.engine.progress import NoProgress
from monitor.severity.scoring import FiveAxes
from monitor.sources.live import Batch, Claims, Notice
from monitor.storage.store import Store
from tests.integration.hostile_payloads import batches_of_payloads, good_payload

FUZZ_SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
NOON = 1_790_000_000
MAX_LETTERS = 25
CONFIGURATION = """
version: 1
system: {name: hostile, stakes: inconvenience}
source: {type: files, paths: [reference.jsonl]}
schema:
  columns:
    - {name: at, role: timestamp}
    - {name: id, role: event_id}
    - {name: amount, role: numeric}
    - {name: count, role: numeric, dtype: int64}
    - {name: topic, role: category}
    - {name: region, role: slice}
    - {name: sex, role: group}
    - {name: answer, role: prediction, dtype: boolean}
    - {name: score, role: score}
    - {name: text, role: text}
    - {name: checks, role: safety_check}
windows: {type: tumbling, seconds: 600, allowed_lateness_seconds: 600}
slices: {by: [region, sex], max_values: 5}
detectors:
  - {type: distribution_shift, column: [amount, count, topic], rule: threshold}
  - {type: rate_change, column: answer}
  - {type: unseen_levels, column: topic, rule: threshold}
retention: {automatic: false}  # else windows of long ago are added up after a day
dead_letters: {max_samples_per_reason: 25}
storage: {url: "sqlite:///hostile.db"}
run: {deduplicate: true, telemetry: null, idle_seconds: 100000, checkpoint_records: 150}
"""


class GivenStream:
    """Batches that are there already, handed on one after the other; then it says stop."""

    def __init__(self, batches: Sequence[Batch], claims: Claims, stop: threading.Event) -> None:
        self._batches = list(batches)
        self._stop = stop
        claims.claim(dict.fromkeys(("a", "b"), ""))

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Batch]:
        del timeout_seconds, max_records
        if not self._batches:
            self._stop.set()
            return ()
        return [self._batches.pop(0)]

    def notices(self) -> Sequence[Notice]:
        return ()

    def caught_up(self) -> frozenset[str]:
        return frozenset(("a", "b"))

    def ended(self) -> frozenset[str]:
        return frozenset()

    def lag(self) -> Mapping[str, int]:
        return {}

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def committed(self, positions: Mapping[str, int]) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Given:
    """A source of batches that are there already."""

    name: ClassVar[str] = "given"
    batches: Sequence[Batch]
    stop: threading.Event

    def open(self, claims: Claims, *, worker: str) -> GivenStream:
        del worker
        return GivenStream(self.batches, claims, self.stop)


@dataclass
class Subject:
    """A monitor that is started anew for every example, and goes on where it was."""

    configuration: Configuration
    store: Store
    service: Service
    clock: FixedClock
    positions: dict[str, int] = field(default_factory=lambda: {"a": 0, "b": 0})
    n_payloads: int = 0
    n_too_long: int = 0

    def follow(self, payloads: Sequence[Sequence[bytes]], n_too_long: int) -> None:
        """Run until the payloads are counted; the clock goes on by a minute."""
        batches = []
        for number, each in enumerate(payloads):
            partition = "ab"[number % 2]
            first = self.positions[partition]
            end = self.positions[partition] = first + len(each) + n_too_long
            batches.append(
                Batch(
                    partition=partition,
                    payloads=each,
                    first=first,
                    next=end,
                    positions=range(first, first + len(each)),
                    too_long=range(first + len(each), end),
                )
            )
            self.n_payloads += len(each)
            self.n_too_long += n_too_long
        stop = threading.Event()
        self.service.configuration = replace(
            self.configuration, source=Given(batches=batches, stop=stop)
        )
        assert self.service.run(self.service.take_up(), SilentObserver(), stop) is Ending.STOPPED
        self.clock.us += 60_000_000

    def tally(self) -> StreamTally:
        return summarise(self.store, self.configuration, Ending.STOPPED).tally

    def rows_in_windows(self) -> int:
        """Return the rows of closed windows and of open ones, all traffic."""
        streams = self.store.streams(monitor_name(self.configuration))
        row = streams.known()
        assert row is not None
        closed = sum(
            each.n_rows for each in self.store.windows(row.job_id) if each.key.slice == "all"
        )
        n_cells = self.service.baseline.layout.n_cells
        opened = sum(
            int(decode_counts(body, n_cells)[0])
            for name in ("a", "b")
            for (slice_, _), body in streams.partials_of(name).items()
            if slice_ == "all"
        )
        return closed + opened

    def check(self) -> None:
        """Every record has a place, every row is in a window, and samples are few and short."""
        tally = self.tally()
        assert tally.n_records == self.n_payloads + self.n_too_long
        assert tally.unaccounted == 0
        assert tally.n_rows == self.rows_in_windows()
        letters = self.store.streams(monitor_name(self.configuration)).letters(limit=10_000)
        reasons = {letter.reason for letter in letters}
        assert len(letters) <= MAX_LETTERS * len(reasons)
        assert max(len(repr(letter.body)) for letter in letters) < 2_000


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    draw = random.Random(7)
    start = NOON - 40 * 3_600
    reference = [good_payload(n, start + 10 * n, draw) for n in range(1_800)]
    (tmp_path / "reference.jsonl").write_bytes(b"\n".join(reference))
    (tmp_path / "hostile.yaml").write_text(CONFIGURATION, "utf-8")
    configuration = load_configuration(tmp_path / "hostile.yaml")
    clock = FixedClock(NOON * 1_000_000)
    baseline = fit_baseline(configuration, clock=clock, progress=NoProgress()).baseline
    store = Store.open(f"sqlite:///{tmp_path}/hostile.db")
    service = Service(
        configuration=configuration,
        baseline=baseline,
        baseline_of=lambda _: baseline,
        store=store,
        policy=FiveAxes(),
        clock=clock,
        name="worker",
    )
    return Subject(configuration=configuration, store=store, service=service, clock=clock)


def test_every_payload_has_a_place_whatever_it_holds(subject: Subject) -> None:
    began = time.monotonic()
    first = time.time_ns() % 2**32 if FUZZ_SECONDS else 0
    examples, size = (40, 1_500) if FUZZ_SECONDS else (60, 60)
    n_rounds = 0
    while n_rounds == 0 or time.monotonic() - began < FUZZ_SECONDS:

        @seed(first + n_rounds)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(data=st.data(), n_too_long=st.integers(0, 2))
        def follow(data: st.DataObject, n_too_long: int) -> None:
            now = subject.clock.us / 1e6
            batches = st.lists(batches_of_payloads(now, max_mutated=size), min_size=1, max_size=3)
            subject.follow(data.draw(batches), n_too_long)
            assert subject.tally().unaccounted == 0

        follow()
        subject.check()
        n_rounds += 1
    if FUZZ_SECONDS:
        tally = subject.tally()
        print(
            f"\n{subject.n_payloads:,} payloads in {time.monotonic() - began:.0f} s, first seed "
            f"{first}: {tally.to_json()}"
        )
    tally = subject.tally()
    assert min(tally.n_rows, tally.n_late, tally.n_duplicates) > 0
    assert len(tally.rejected) >= 6
    subject.store.close()
