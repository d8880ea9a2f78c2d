"""Who is reminded, and when: silences that end at a floor, and timers of while nobody ran."""

from pathlib import Path

import pytest

from monitor.clock import FixedClock, SystemClock
from monitor.printing import time_text
from tests.acceptance.case import EVE, LEA, Case, Listener
from tests.acceptance.running import daemon, until
from tests.monitor.engine.daemon.toy import events

HOUR_US = 3_600_000_000
OWNER = ("--by", "ada", "--role", "owner", "--reason", "the vendor migrates")
DETECTORS = """  - {type: missing_rate, column: score}
  - {type: safety_coverage, check: output/moderation}"""
SKIPPED = {
    "stage": "output",
    "filter": "moderation",
    "category": "violence",
    "status": "skipped",
    "flagged": False,
    "action": "none",
}


@pytest.fixture
def case(tmp_path: Path, listener: Listener) -> Case:
    made = Case.made(tmp_path, port=listener.port, detectors=DETECTORS)
    made.edit(lambda text: text.replace("slices: {by: [region], max_values: 3}\n", ""))
    made.ran("database", "upgrade", str(made.path))
    return made


def silence(case: Case, *what: str) -> None:
    until_ = time_text(SystemClock().now_us() + 24 * HOUR_US)
    case.ran("silence", "add", str(case.path), *OWNER, *what, "--until", until_)


def kinds(case: Case) -> list[str]:
    return [each["kind"] for each in case.shown(1)["timeline"]]


def test_a_silence_mutes_what_it_names_until_a_fact_sets_a_floor(
    case: Case, listener: Listener
) -> None:
    case.log([{**each, "score": None} for each in events(0, 6, seed=2, per_hour=100)])
    silence(case, "--series", "missing_rate(*")
    case.audit()
    clock = FixedClock(SystemClock().now_us() + HOUR_US)
    silenced = case.shown(1)["id"]

    def told() -> list[str]:
        # The daemon also tells that outputs have stopped; that is another incident.
        return [n["kind"] for n in listener.notices() if n["incident_id"] == silenced]

    with daemon(case, clock):
        until(lambda: "silenced" in kinds(case))
        case.send()
        muted = told()
        case.act("fact", "1", *LEA, "--fact", "harm_linked")
        clock.us += 2 * HOUR_US
        until(told)

    assert "timer fired" in kinds(case)
    assert muted == []
    assert told() == ["timer_fired"]


def test_a_filter_that_has_left_the_path_is_told_whatever_is_silenced(
    case: Case, listener: Listener
) -> None:
    case.log([{**each, "checks": [SKIPPED]} for each in events(0, 10, seed=2, per_hour=60)])
    silence(case, "--mode", "safety")

    case.audit()
    case.send()

    (page,) = listener.notices("opened")
    assert (page["failure_mode"], page["tier"]) == ("safety", "SEV2")


def test_what_was_due_while_the_daemon_was_down_is_told_once_for_each_incident_and_marked_late(
    case: Case, listener: Listener
) -> None:
    for title in ("letters were mixed up", "letters again"):
        case.act("open", *EVE, "--title", title, "--tier", "SEV2")
    case.send()
    n_told = len(listener.told)
    clock = FixedClock(SystemClock().now_us() + 72 * HOUR_US)

    for _ in range(2):
        with daemon(case, clock):
            until(lambda: len(listener.told) >= n_told + 2)

    reminders = listener.notices("timer_fired")
    assert len(listener.told) == n_told + len(reminders)
    assert sorted(each["title"] for each in reminders) == [
        "letters again",
        "letters were mixed up",
    ]
    for number in (1, 2):
        fired = [each for each in case.shown(number)["timeline"] if each["kind"] == "timer fired"]
        assert len(fired) > 1
        assert all(each["text"].endswith("late") for each in fired)
