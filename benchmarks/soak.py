"""Hours of a running monitor: whether it keeps up, grows, and accounts for every record.

    python -m benchmarks.soak --seconds 3900 --rate 400 --folder /tmp/soak

A broker, a producer at a steady rate and `outputwatch run` with windows of a minute. Event times
are the wall clock's, out of order within the allowed lateness; some records are malformed, late or
sent twice, and for a tenth of the time the outputs drift. Every ten seconds the process is looked
at from outside into ``samples.csv``; at the end ``summary.json`` says how memory, open files,
threads and database grew, and whether the account of all records is the expected one.
"""

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from kafka import KafkaProducer

TOPIC = "outputs"
PARTITIONS = 3
SAMPLE_SECONDS = 10.0
WINDOW_SECONDS = 60
LATENESS_SECONDS = 10
LATE_SECONDS = 300
TICK_SECONDS = 0.1
WARM_UP = 0.2
REFERENCE_WINDOWS = 60
SEED = 20_261_124
MALFORMED = (b'{"ts": "2026-', b"[1, 2]", b"\xff\xfe{}")

CONFIGURATION = """
version: 1
system: {{name: soak, environment: test, stakes: inconvenience, reversibility: correctable}}
source:
  type: kafka
  bootstrap_servers: ["{bootstrap}"]
  topics: [{topic}]
  group: soak
  client: {client}
schema:
  columns:
    - {{name: ts, role: timestamp}}
    - {{name: event_id, role: event_id}}
    - {{name: score, role: score}}
    - {{name: latency_seconds, role: numeric}}
    - {{name: kind, role: category}}
    - {{name: region, role: slice}}
    - {{name: refused, role: prediction, dtype: boolean}}
baseline: {{directory: baselines, reference: {{paths: [reference.jsonl]}}, min_slice_rows: 100}}
windows: {{type: tumbling, seconds: {window}, allowed_lateness_seconds: {lateness}}}
slices: {{by: [region]}}
detectors:
  - {{type: distribution_shift, column: [score, latency_seconds, kind], tolerance: 0.1}}
  - {{type: rate_change, column: refused, tolerance_difference: 0.05}}
storage: {{url: "sqlite:///monitor.db"}}
run: {{telemetry: "127.0.0.1:{port}", deduplicate: true}}
"""


class Outputs:
    """Makes outputs and keeps the account that the monitor must arrive at."""

    def __init__(self) -> None:
        self._random = random.Random(SEED)
        self.expected: Counter[str] = Counter()

    def output(self, seconds: float, *, drifted: bool = False) -> bytes:
        """Return an output of that event time."""
        draw = self._random
        whole = int(seconds)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        number = self.expected["n_records"]
        event = {
            "ts": f"{moment}.{int((seconds - whole) * 1e6):06d}Z",
            "event_id": f"evt-{number:012d}-{draw.getrandbits(48):012x}",
            "score": round(draw.gauss(0.8 if drifted else 0.5, 0.2), 6),
            "latency_seconds": round(draw.lognormvariate(0, 0.5), 6),
            "kind": draw.choice("aab" if drifted else "abc"),
            "region": draw.choice(("EU", "US", "APAC")),
            "refused": draw.random() < (0.2 if drifted else 0.05),
            "answer": "x" * draw.randrange(100, 400),
        }
        return json.dumps(event).encode()

    def reference(self, n_rows: int) -> Iterator[bytes]:
        """Yield the outputs of an hour long ago."""
        for number in range(n_rows):
            yield self.output(1_780_000_000 + number / n_rows * REFERENCE_WINDOWS * WINDOW_SECONDS)

    def next(self, now: float, *, drifted: bool, late_possible: bool) -> list[bytes]:
        """Return what is sent next: one record, or one and its repetition."""
        kind = self._random.random()
        self.expected["n_records"] += 1
        if kind < 0.001:
            self.expected["rejected"] += 1
            return [self._random.choice(MALFORMED)]
        if kind < 0.002 and late_possible:
            self.expected["n_late"] += 1
            return [self.output(now - LATE_SECONDS)]
        self.expected["n_rows"] += 1
        payload = self.output(
            now - self._random.random() * 0.8 * LATENESS_SECONDS, drifted=drifted
        )
        if kind < 0.004:
            self.expected.update(n_records=1, n_duplicates=1)
            return [payload, payload]
        return [payload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a running monitor looks like from outside."""

    seconds: float
    rss_bytes: int
    open_files: int
    threads: int
    cpu_seconds: float
    database_bytes: int
    sent: int
    records: float
    decided_windows: float
    open_windows: float
    lag: float
    checkpoints: float
    checkpoint_seconds: float


def sample(pid: int, port: int, folder: Path, *, seconds: float, sent: int) -> Sample:
    """Look at the process, its metrics and its database."""
    process = Path("/proc") / str(pid)
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text("utf-8").splitlines()
    )
    ticks = (process / "stat").read_text("utf-8").rpartition(")")[2].split()[11:13]
    metrics = _metrics(port)
    return Sample(
        seconds=round(seconds, 1),
        rss_bytes=int(status["VmRSS"].split()[0]) * 1_024,
        open_files=len(list((process / "fd").iterdir())),
        threads=int(status["Threads"]),
        cpu_seconds=sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"),
        database_bytes=sum(path.stat().st_size for path in folder.glob("monitor.db*")),
        sent=sent,
        records=metrics["outputwatch_records_total"],
        decided_windows=metrics["outputwatch_decided_windows_total"],
        open_windows=metrics["outputwatch_open_windows"],
        lag=metrics["outputwatch_partition_lag"],
        checkpoints=metrics["outputwatch_checkpoint_duration_seconds_count"],
        checkpoint_seconds=metrics["outputwatch_checkpoint_duration_seconds_sum"],
    )


def _metrics(port: int) -> Mapping[str, float]:
    """Return the metrics by name, those of all labels added up."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found: Counter[str] = Counter()
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name.partition("{")[0]] += float(value)  # type: ignore[assignment]
    return found


@dataclass(slots=True, kw_only=True)
class Soak:
    """One run: the producer, the monitor beside it, and the samples."""

    seconds: float
    rate: float
    folder: Path
    port: int
    outputs: Outputs
    monitor: "subprocess.Popen[str]"

    def run(self, producer: "KafkaProducer") -> list[Sample]:
        """Produce at the rate for the time, and look at the monitor meanwhile."""
        began, sent = time.monotonic(), 0
        samples: list[Sample] = []
        with (self.folder / "samples.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, [field.name for field in fields(Sample)])
            rows.writeheader()
            while (passed := time.monotonic() - began) < self.seconds:
                while sent < passed * self.rate:
                    self._send(producer, sent, passed)
                    sent += 1
                if passed >= len(samples) * SAMPLE_SECONDS:
                    samples.append(self.sample(passed))
                    rows.writerow(asdict(samples[-1]))
                    file.flush()
                time.sleep(TICK_SECONDS)
        producer.flush(timeout=60)
        return samples

    def _send(self, producer: "KafkaProducer", number: int, passed: float) -> None:
        drifted = 0.45 <= passed / self.seconds < 0.55
        payloads = self.outputs.next(
            time.time(), drifted=drifted, late_possible=passed > 3 * LATE_SECONDS
        )
        for payload in payloads:
            producer.send(TOPIC, payload, partition=number % PARTITIONS)

    def sample(self, passed: float) -> Sample:
        """Look at the monitor; fail if it has ended."""
        if self.monitor.poll() is not None:
            message = f"the monitor ended with {self.monitor.returncode}; see monitor.log"
            raise RuntimeError(message)
        sent = self.outputs.expected["n_records"]
        return sample(self.monitor.pid, self.port, self.folder, seconds=passed, sent=sent)

    def await_everything_read(self, seconds: float = 120) -> None:
        """Wait until the monitor has written all that was sent."""
        deadline = time.monotonic() + seconds
        while (
            _metrics(self.port)["outputwatch_records_total"] < self.outputs.expected["n_records"]
        ):
            if time.monotonic() > deadline:
                return
            time.sleep(0.5)

    def stop(self) -> dict[str, Any]:
        """Stop the monitor as a supervisor does and return its own account."""
        self.monitor.send_signal(signal.SIGTERM)
        text, _ = self.monitor.communicate(timeout=60)
        answer: dict[str, Any] = json.loads(text)
        return answer


def slope(samples: list[Sample], name: str) -> float:
    """Return the growth per hour after the warm-up, by least squares."""
    kept = samples[int(len(samples) * WARM_UP) :]
    hours = np.array([each.seconds for each in kept]) / 3_600
    return float(np.polyfit(hours, [getattr(each, name) for each in kept], 1)[0])


def summary(
    samples: list[Sample], account: Mapping[str, Any], expected: Mapping[str, int]
) -> dict[str, Any]:
    """Return what the run showed."""
    first, last = samples[int(len(samples) * WARM_UP)], samples[-1]
    counted = last.records - first.records
    found = {**account, "rejected": sum(account["rejected"].values())}
    return {
        "hours": round(last.seconds / 3_600, 3),
        "events_per_second": round(last.sent / last.seconds, 1),
        "cpu_microseconds_per_event": round(
            (last.cpu_seconds - first.cpu_seconds) / counted * 1e6, 1
        ),
        "windows_decided": last.decided_windows,
        "largest_lag": max(each.lag for each in samples),
        "checkpoint_seconds_mean": round(last.checkpoint_seconds / max(1, last.checkpoints), 4),
        "per_hour_after_warm_up": {
            name: round(slope(samples, name), 2)
            for name in ("rss_bytes", "open_files", "threads", "database_bytes")
        },
        "rss_bytes": {"after_warm_up": first.rss_bytes, "last": last.rss_bytes},
        "open_files": {"after_warm_up": first.open_files, "last": last.open_files},
        "threads": {"after_warm_up": first.threads, "last": last.threads},
        "expected": dict(expected),
        "account": dict(account),
        "account_is_exact": all(found[name] == number for name, number in expected.items())
        and account["unaccounted"] == 0,
    }


def prepare(folder: Path, *, bootstrap: str, client: str, port: int, rate: float) -> None:
    """Write the configuration and put a baseline in force."""
    text = CONFIGURATION.format(
        bootstrap=bootstrap,
        topic=TOPIC,
        client=client,
        window=WINDOW_SECONDS,
        lateness=LATENESS_SECONDS,
        port=port,
    )
    (folder / "soak.yaml").write_text(text, "utf-8")
    # A baseline is fitted on files; what is counted and compared is the same.
    kafka = text[text.index("source:") : text.index("schema:")]
    files = text.replace(kafka, "source: {type: files, paths: [reference.jsonl]}\n")
    (folder / "fit.yaml").write_text(files, "utf-8")
    with (folder / "reference.jsonl").open("wb") as file:
        n_rows = int(REFERENCE_WINDOWS * WINDOW_SECONDS * min(rate, 50))
        file.writelines(payload + b"\n" for payload in Outputs().reference(n_rows))
    _outputwatch(
        folder, "baseline", "fit", "fit.yaml", "--promote", "--who", "soak", "--why", "a run"
    )


def _outputwatch(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "monitor", *arguments], cwd=folder, check=True)


def soak(seconds: float, rate: float, folder: Path, client: str) -> dict[str, Any]:
    """Run everything and return the summary, which is also written."""
    from kafka import KafkaProducer

    from tests.brokers.kafka_node.node import KafkaNode
    from tests.brokers.ports import free_port
    from tests.brokers.topics import create_topic

    folder.mkdir(parents=True, exist_ok=True)
    with KafkaNode(folder / "kafka") as broker:
        create_topic(broker.bootstrap, TOPIC, partitions=PARTITIONS)
        port = free_port()
        prepare(folder, bootstrap=broker.bootstrap, client=client, port=port, rate=rate)
        with (folder / "monitor.log").open("w", encoding="utf-8") as log:
            monitor = subprocess.Popen(
                [sys.executable, "-m", "monitor", "run", "soak.yaml", "--json"],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        run = Soak(
            seconds=seconds,
            rate=rate,
            folder=folder,
            port=port,
            outputs=Outputs(),
            monitor=monitor,
        )
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap, linger_ms=20)
        try:
            _await_metrics(port)
            samples = run.run(producer)
            run.await_everything_read()
            answer = summary(samples, run.stop(), run.outputs.expected)
        finally:
            monitor.kill()
            producer.close(timeout=5)
    (folder / "summary.json").write_text(json.dumps(answer, indent=2) + "\n", "utf-8")
    return answer


def _await_metrics(port: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            _metrics(port)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def main() -> None:
    """Run and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=3_900)
    parser.add_argument("--rate", type=float, default=400, help="events per second")
    parser.add_argument("--folder", type=Path, required=True, help="new or empty")
    parser.add_argument(
        "--client", choices=["kafka-python", "confluent-kafka"], default="kafka-python"
    )
    arguments = parser.parse_args()
    answer = soak(arguments.seconds, arguments.rate, arguments.folder, arguments.client)
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
