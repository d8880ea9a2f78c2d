"""What goes quiet is not what is well: incidents stay open, and not seeing is told."""

import threading
from pathlib import Path

from monitor.clock import FixedClock
from tests.acceptance.case import Case
from tests.acceptance.running import daemon, until
from tests.monitor.engine.daemon.toy import HOUR, START, events


def test_when_outputs_stop_the_running_daemon_leaves_the_incident_open_and_says_it_cannot_see(
    tmp_path: Path,
) -> None:
    case = Case.made(
        tmp_path, detectors="  - {type: distribution_shift, column: score, tolerance: 0.1}"
    )
    case.edit(lambda text: text.replace("idle_seconds: 100000", "idle_seconds: 60"))
    case.log(events(0, 12, seed=2, per_hour=100, drift_from=3, drift_until=99))
    clock = FixedClock((START + 12 * HOUR) * 1_000_000)

    with daemon(case, clock):
        until(lambda: case.database.is_file() and case.incidents())
        for _ in range(6):
            clock.us += HOUR * 1_000_000
            threading.Event().wait(0.1)
        until(lambda: len(case.incidents()) > 1)

    drift, blind = sorted(case.incidents(), key=lambda each: each["number"])
    assert (drift["state"], drift["resolution_proposed"]) == ("candidate", False)
    assert {each["state"] for each in case.shown(1)["signals"]} == {"firing"}
    assert blind["title"] == "Behavioural: cannot see heartbeat"
    # Lines are folded at the width of the terminal.
    page = " ".join(case.ran("incident", "show", str(case.path), "2").split())
    assert "whether anything is wrong is not known" in page
    assert "do not take the silence for good news" in page
