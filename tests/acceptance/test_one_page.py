"""Many signals are one incident and one page, from the log to the channel."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.case import ADA, EVE, Case, Listener
from tests.monitor.engine.daemon.toy import Event, events

N_SLICES = 12
REGIONS = [f"r{number:02}" for number in range(N_SLICES - 1)]
MISSING = "  - {type: missing_rate, column: score}\n"
SHIFT = "  - {type: distribution_shift, column: score, tolerance: 0.1}\n"


def without_scores(found: list[Event], from_hour: int, until_hour: int = 1_000) -> list[Event]:
    """Return traffic whose scores are gone for some hours, in every region alike."""
    first = found[0]["ts"] - found[0]["ts"] % 3_600
    within = range(first + from_hour * 3_600, first + until_hour * 3_600)
    return [{**each, "score": None} if each["ts"] in within else each for each in found]


def by_audit(case: Case) -> dict[str, Any]:
    case.audit()
    return case.send()


def by_daemon(case: Case) -> dict[str, Any]:
    case.ran("run", str(case.path), "--until-caught-up", status=3)
    return case.send()


@pytest.mark.parametrize("watch", [by_audit, by_daemon])
def test_twelve_slices_that_breach_at_once_are_one_incident_twelve_signals_and_one_page(
    tmp_path: Path, listener: Listener, watch: Callable[[Case], dict[str, Any]]
) -> None:
    case = Case.made(tmp_path, port=listener.port, detectors=MISSING)
    case.edit(lambda text: text.replace("max_values: 3", f"max_values: {len(REGIONS)}"))
    traffic = events(0, 4, seed=2, per_hour=165, regions=REGIONS)
    case.log(without_scores(traffic, 2))

    watch(case)

    (incident,) = case.incidents()
    signals = case.shown(1)["signals"]
    assert {each["slice"] for each in signals} == {"all", *(f"region={r}" for r in REGIONS)}
    assert (incident["signals"], len(signals)) == (N_SLICES, N_SLICES)
    assert len(listener.told) == 1
    (page,) = listener.notices("opened")
    assert page["incident_id"] == incident["id"]
    # Once more tells nobody anything.
    assert watch(case)["sent"] == 0
    assert len(listener.told) == 1


def test_what_broken_input_explains_is_kept_and_fires_by_itself_once_the_input_is_repaired(
    tmp_path: Path,
) -> None:
    case = Case.made(tmp_path, detectors=MISSING + SHIFT)
    case.edit(lambda text: text.replace("slices: {by: [region], max_values: 3}\n", ""))
    drifting = events(0, 16, seed=2, per_hour=150, drift_from=4, drift_until=99)
    broken, repaired = half_missing(drifting, 4, 8)
    case.log(broken)
    case.ran("run", str(case.path), "--until-caught-up", status=3)
    (cause,), page = case.incidents(), case.shown(1)
    # Somebody takes the repair for the end of it.
    case.fill_roles(1)
    case.act("ack", "1", *EVE)
    case.act("resolve", "1", *ADA, "--without-evidence")

    case.log(repaired)
    case.ran("run", str(case.path), "--until-caught-up", status=3)

    assert (cause["signals"], cause["inhibited"]) == (1, 1)
    assert [each["series"] for each in page["signals"]] == ["missing_rate(score)"]
    (explained,) = page["inhibited"]
    assert explained["series"] == "distribution_shift(score)"
    assert explained["state"] == "explained by missing_rate(score)"
    active = [each for each in case.incidents() if each["state"] != "resolved"]
    own = [each for found in active for each in case.shown(found["number"])["signals"]]
    states = {each["series"]: each["state"] for each in own}
    assert states["distribution_shift(score)"] == "firing"
    assert states.get("missing_rate(score)", "recovered") == "recovered"


def half_missing(found: list[Event], begin: int, end: int) -> tuple[list[Event], list[Event]]:
    """Return traffic whose every other score is gone for some hours, and what comes after."""
    first = found[0]["ts"] - found[0]["ts"] % 3_600
    hours = [(each["ts"] - first) // 3_600 for each in found]
    whole = [
        {**each, "score": None} if begin <= hour < end and n % 2 else each
        for n, (each, hour) in enumerate(zip(found, hours, strict=True))
    ]
    cut = sum(hour < end for hour in hours)
    return whole[:cut], whole[cut:]
