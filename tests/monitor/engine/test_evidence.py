"""What is frozen of the outputs that an incident began with."""

import json
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import run_command_line
from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.engine.audit import AuditResult, run_audit
from monitor.engine.daemon.freezing import Freezing
from monitor.engine.evidence import freeze_outputs
from monitor.engine.fit import fit_baseline
from monitor.engine.incident_desk import monitor_name
from monitor.engine.progress import NoProgress
from monitor.engine.reading import TimeRange
from monitor.engine.response.acting import ActingDesk
from monitor.engine.runners.serial import SerialRunner
from monitor.incidents.acts.base import Occasion
from monitor.incidents.roles import Person, Role
from monitor.incidents.summary import summarize
from monitor.incidents.timeline import EntryKind
from monitor.incidents.vault import VaultError
from monitor.storage import Store
from tests.brokers.small.broker import SmallBroker
from tests.brokers.topics import create_topic, delete_records_before, produce

# kafka-python leaves the sockets of connections that the broker cut to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

START, HOUR, HOURS, PER_HOUR = 1_767_225_600, 3_600, 20, 120
MONITOR = "loans/production"
EVIDENCE = (
    "evidence: {sample_rows: 12, release: {model: release, prompt: prompt}, "
    'declared: {guardrail: "moderation 2026-08"}}\n'
)
CONFIGURATION = """
version: 1
system: {name: loans}
source: {type: files, paths: ["*.jsonl"]}
schema:
  columns:
    - {name: ts, role: timestamp}
    - {name: id, role: event_id}
    - {name: income, role: numeric}
    - {name: letter, role: text}
    - {name: plan, role: category}
    - {name: hired, role: prediction, positive: ["yes"]}
    - {name: release, role: category}
    - {name: prompt, role: category}
windows: {type: tumbling, seconds: 3600}
baseline: {reference: {to: "2026-01-01T10:00:00Z"}}
detectors:
  - {type: distribution_shift, column: income, min_rows: 50, rule: threshold}
"""


def events() -> list[dict[str, object]]:
    chance = random.Random(3)
    return [
        {
            "ts": START + hour * HOUR + chance.randrange(HOUR),
            "id": f"e{hour}-{number}",
            "letter": f"dear bank, this is number {number}",
            "income": chance.gauss(80 if hour >= 15 else 50, 10),
            "plan": chance.choice(["free", "paid"]),
            "hired": chance.choice(["yes", "no", "no", "no"]),
            "release": "r2" if hour >= 15 else "r1",
        }
        for hour in range(HOURS)
        for number in range(PER_HOUR)
    ]


def write(path: Path, listed: list[dict[str, object]]) -> None:
    path.write_text("".join(f"{json.dumps(event)}\n" for event in listed))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "log.jsonl", events())
    return tmp_path


Audited = Callable[..., AuditResult]


@pytest.fixture
def audited(folder: Path) -> Audited:
    def done(database: str = "a.db", evidence: str = EVIDENCE) -> AuditResult:
        text = f"{CONFIGURATION}storage: {{url: 'sqlite:///{database}'}}\n{evidence}"
        (folder / "audit.yaml").write_text(text)
        configuration = load_configuration(folder / "audit.yaml")
        clock = FixedClock(START * 1_000_000)
        fitted = fit_baseline(configuration, clock=clock, progress=NoProgress())
        with Store.open(configuration.storage.url) as store:
            return run_audit(
                configuration, baseline=fitted.baseline, store=store,
                policy=configuration.severity, clock=clock, progress=NoProgress(),
                runner=SerialRunner(),
                time=TimeRange(from_us=(START + 10 * HOUR) * 1_000_000),
            )  # fmt: skip

    return done


def annexes(database: str = "a.db") -> list[dict[str, Any]]:
    with Store.open(f"sqlite:///{database}") as store:
        (incident,) = store.incidents(MONITOR).all()
        timeline = store.incidents(MONITOR).timeline(incident.id)
    kind = EntryKind.EVIDENCE_SAMPLED
    return [each.entry.body for each in timeline if each.entry.kind is kind]


def kept(database: str = "a.db") -> list[dict[str, Any]]:
    (annex,) = annexes(database)
    with Store.open(f"sqlite:///{database}") as store:
        desk = ActingDesk(store=store, monitor=MONITOR, clock=FixedClock(0))
        content = desk.unseal("1", annex["sample"]["commitment"])
    return [json.loads(line) for line in content.splitlines()]


def test_a_sample_of_the_first_window_is_sealed_and_the_timeline_holds_counts_only(
    audited: Audited,
) -> None:
    audited()

    (annex,) = annexes()
    rows = kept()
    assert annex["n_rows"] == PER_HOUR
    assert (annex["sample"]["n_rows"], len(rows)) == (12, 12)
    assert {each["stratum"]: each["kept"] for each in annex["sample"]["strata"]} == {
        "hired=no": 6, "hired=yes": 6
    }  # fmt: skip
    assert {row["event_id"].partition("-")[0] for row in rows} == {"e15"}
    assert set(rows[0]["columns"]) == {
        "hired", "income", "letter", "plan", "prompt", "release"
    }  # fmt: skip
    assert rows[0]["columns"]["letter"].startswith("dear bank, this is number ")
    assert not any(row["event_id"] in json.dumps(annex) for row in rows)


def test_the_release_is_what_was_seen_and_declared_and_the_rest_is_listed_as_unknown(
    audited: Audited,
) -> None:
    audited()

    (annex,) = annexes()
    assert annex["observed"] == {"model": {"r2": PER_HOUR}, "prompt": {"(missing)": PER_HOUR}}
    assert annex["declared"] == {"guardrail": "moderation 2026-08"}
    assert annex["unknown"] == ["configuration", "prompt"]
    assert annex["policy"] == "five_axes 1"


def test_nothing_is_kept_unless_it_is_asked_for(audited: Audited) -> None:
    audited(evidence="")

    assert annexes() == []


def test_incidents_and_findings_do_not_depend_on_the_sample(audited: Audited) -> None:
    with_sample, without = audited("a.db"), audited("b.db", evidence="")

    assert with_sample == without
    timelines = []
    for database in ("a.db", "b.db"):
        with Store.open(f"sqlite:///{database}") as store:
            timeline = store.incidents(MONITOR).timeline(with_sample.incidents[0].id)
        timelines.append([each.entry for each in timeline])
    assert timelines[0][:-1] == timelines[1]
    assert timelines[0][-1].kind is EntryKind.EVIDENCE_SAMPLED


def test_an_audit_that_is_done_again_keeps_no_second_sample(audited: Audited) -> None:
    audited()
    audited()

    assert len(annexes()) == 1


def test_the_same_outputs_in_other_files_and_another_order_give_the_same_sample(
    folder: Path, audited: Audited
) -> None:
    audited("a.db")
    listed = events()
    random.Random(1).shuffle(listed)
    write(folder / "log.jsonl", listed[:1_000])
    write(folder / "more.jsonl", listed[1_000:])
    audited("b.db")

    (first,), (second,) = annexes("a.db"), annexes("b.db")
    assert kept("a.db") == kept("b.db")
    assert first["sample"]["strata"] == second["sample"]["strata"]
    assert first["sample"]["commitment"] != second["sample"]["commitment"]


def test_only_the_columns_that_are_named_are_kept(audited: Audited) -> None:
    audited(evidence="evidence: {sample_rows: 3, columns: [hired], strata: [plan]}\n")

    rows = kept()
    assert all(set(row["columns"]) == {"hired"} for row in rows)
    (annex,) = annexes()
    assert [each["stratum"] for each in annex["sample"]["strata"]] == ["plan=free", "plan=paid"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{type: stdin}", "outputs of the source 'stdin' cannot be read a second time"),
        ('{type: files, paths: ["gone-*.jsonl"]}', "the source could not be read again: "),
        ('{type: files, paths: ["log.jsonl"]}', "holds no outputs of these windows any more"),
    ],
)
def test_where_outputs_cannot_be_read_again_the_annex_says_why(
    folder: Path, audited: Audited, source: str, reason: str
) -> None:
    audited("a.db", evidence="")
    write(folder / "log.jsonl", events()[:100])
    text = (folder / "audit.yaml").read_text() + EVIDENCE
    text = text.replace('{type: files, paths: ["*.jsonl"]}', source)
    (folder / "audit.yaml").write_text(text)
    configuration = load_configuration(folder / "audit.yaml")

    with Store.open("sqlite:///a.db") as store:
        for _ in range(2):
            freeze_outputs(
                store.incidents(MONITOR).active(), configuration=configuration, store=store,
                monitor=monitor_name(configuration), clock=FixedClock(START * 1_000_000),
            )  # fmt: skip

    (annex,) = annexes()
    assert reason in annex["not_available"]
    assert "sample" not in annex
    assert annex["declared"] == {"guardrail": "moderation 2026-08"}


def test_erasing_an_incident_erases_its_sample_and_the_timeline_still_verifies(
    audited: Audited,
) -> None:
    audited()
    on = Occasion(
        by=Person(name="bob", role=Role.LEGAL), second=Person(name="ada", role=Role.OWNER),
        reason="a person asked", now_us=0,
    )  # fmt: skip

    with Store.open("sqlite:///a.db") as store:
        desk = ActingDesk(store=store, monitor=MONITOR, clock=FixedClock(START * 1_000_000))
        erased = desk.erase("1", on)
        assert store.incidents(MONITOR).timeline(erased.id)[-1].entry.body["erased_entries"] == 1
        assert store.incidents(MONITOR).broken_links(erased.id) == ()

    with pytest.raises(VaultError, match="erased for good"):
        kept()


def test_who_looks_at_the_outputs_is_written_down(
    audited: Audited, capsys: pytest.CaptureFixture[str]
) -> None:
    audited()
    who = ("--by", "ada", "--role", "commander", "--reason", "to see them")

    status = run_command_line(["incident", "outputs", "audit.yaml", "1", *who])

    captured = capsys.readouterr()
    assert status == 0, captured.err
    assert [json.loads(line) for line in captured.out.splitlines()] == kept()
    assert "12 of 120 outputs were kept" in captured.err
    with Store.open("sqlite:///a.db") as store:
        (incident,) = store.incidents(MONITOR).all()
        timeline = store.incidents(MONITOR).timeline(incident.id)
    assert timeline[-1].entry.kind is EntryKind.EVIDENCE_OPENED
    text = next(
        line.text
        for line in summarize(incident, timeline).timeline
        if line.kind == "evidence sampled"
    )
    assert text.startswith("12 of 120 outputs kept, sealed; model r2; prompt (missing); ")
    assert text.endswith("unknown: configuration, prompt")


def test_an_incident_without_a_sample_says_so(
    audited: Audited, capsys: pytest.CaptureFixture[str]
) -> None:
    audited(evidence="")

    status = run_command_line(
        ["incident", "outputs", "audit.yaml", "1", "--by", "ada", "--role", "commander"]
    )

    assert status == 1
    assert "'evidence.sample_rows' of the configuration" in capsys.readouterr().err


def test_a_running_monitor_freezes_what_has_no_annex_yet_and_leaves_the_rest_when_it_stops(
    folder: Path, audited: Audited
) -> None:
    audited(evidence="")
    (folder / "audit.yaml").write_text((folder / "audit.yaml").read_text() + EVIDENCE)
    configuration = load_configuration(folder / "audit.yaml")
    stopping = threading.Event()
    stopping.set()

    with Store.open("sqlite:///a.db") as store:
        freezing = Freezing(
            store=store, configuration=configuration, clock=FixedClock(START * 1_000_000)
        )
        done = [freezing(each) for each in (stopping, threading.Event(), threading.Event())]

    assert done == [0, 1, 0]
    assert len(kept()) == 12


FILES = 'source: {type: files, paths: ["*.jsonl"]}'


def in_order() -> list[dict[str, Any]]:
    return sorted(events(), key=lambda event: str(event["ts"]))


def with_topic(folder: Path, broker: SmallBroker, listed: list[dict[str, Any]]) -> str:
    """Have what was audited from files read again from a topic; return its name."""
    topic = create_topic(broker.bootstrap, partitions=2)
    produce(
        broker.bootstrap, topic, [json.dumps(event).encode() for event in listed],
        partitions=2, timestamp_ms=lambda number: (int(listed[number]["ts"]) + 1) * 1_000,
    )  # fmt: skip
    kafka = (
        f"source: {{type: kafka, bootstrap_servers: ['{broker.bootstrap}'], topics: [{topic}], "
        "group: g}"
    )
    text = (folder / "audit.yaml").read_text()
    assert FILES in text
    more = "" if "evidence:" in text else EVIDENCE
    (folder / "audit.yaml").write_text(text.replace(FILES, kafka) + more)
    return topic


def frozen_by_a_running_monitor(folder: Path, stopping: threading.Event | None = None) -> int:
    configuration = load_configuration(folder / "audit.yaml")
    with Store.open(configuration.storage.url) as store:
        freezing = Freezing(
            store=store, configuration=configuration, clock=FixedClock(START * 1_000_000)
        )
        return freezing(stopping or threading.Event())


def test_a_topic_gives_the_same_sample_as_files(
    folder: Path, audited: Audited, small_broker: SmallBroker
) -> None:
    audited("a.db")
    audited("b.db", evidence="")
    with_topic(folder, small_broker, in_order())

    done = frozen_by_a_running_monitor(folder)

    (from_files,), (from_topic,) = annexes("a.db"), annexes("b.db")
    assert done == 1
    assert kept("a.db") == kept("b.db")
    assert from_files["sample"]["strata"] == from_topic["sample"]["strata"]
    assert from_files["observed"] == from_topic["observed"]
    assert "incomplete" not in from_topic


def test_what_a_topic_has_dropped_is_told_with_what_is_left(
    folder: Path, audited: Audited, small_broker: SmallBroker
) -> None:
    audited(evidence="")
    topic = with_topic(folder, small_broker, in_order())
    oldest = 15 * PER_HOUR // 2 + 10
    delete_records_before(small_broker.bootstrap, topic, 0, oldest)

    frozen_by_a_running_monitor(folder)

    (annex,) = annexes()
    assert annex["n_rows"] == PER_HOUR - 10
    assert annex["incomplete"] == [f"records of {topic}/0 before offset {oldest} are gone"]
    with Store.open("sqlite:///a.db") as store:
        (incident,) = store.incidents(MONITOR).all()
        summary = summarize(incident, store.incidents(MONITOR).timeline(incident.id))
    assert f"not complete: records of {topic}/0 before offset" in str(summary.timeline)


def test_a_topic_that_holds_nothing_of_the_windows_any_more_is_the_reason(
    folder: Path, audited: Audited, small_broker: SmallBroker
) -> None:
    audited(evidence="")
    topic = with_topic(folder, small_broker, in_order())
    for partition in range(2):
        oldest = 18 * PER_HOUR // 2
        delete_records_before(small_broker.bootstrap, topic, partition, oldest)

    frozen_by_a_running_monitor(folder)

    (annex,) = annexes()
    reason = annex["not_available"]
    assert reason.startswith("the source holds no outputs of these windows any more (records of ")
    assert f"{topic}/1 before offset" in reason


def test_a_monitor_that_stops_while_it_reads_again_leaves_it_for_later(
    folder: Path, audited: Audited, small_broker: SmallBroker
) -> None:
    audited(evidence="")
    with_topic(folder, small_broker, in_order())

    class Later(threading.Event):
        """Is set only once reading has begun."""

        n_asked = 0

        def is_set(self) -> bool:
            self.n_asked += 1
            return self.n_asked > 2

    stopped = frozen_by_a_running_monitor(folder, Later())
    untouched = annexes()
    done = frozen_by_a_running_monitor(folder)

    assert (stopped, untouched, done) == (0, [], 1)
    assert len(kept()) == 12
