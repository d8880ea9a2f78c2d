"""Two processes that write the same incidents at the same time: one incident, one unbroken chain.

Both wait for one moment and then write as fast as they can, so that their transactions meet.
"""

import subprocess
import sys
from collections.abc import Sequence

from monitor.incidents.timeline import EntryKind
from monitor.storage import Store

MONITOR = "loans/production"
N_WRITERS = 2
N_HOURS = 12
N_NOTES = 15

MEETING = """
import sys

from monitor.storage import Store

print("ready", flush=True)
sys.stdin.readline()
url, name, n_hours, n_notes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
"""
SEES_BREACHES = """
from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode, Finding, Verdict
from monitor.incidents.breaches import Breach, GroupingRules
from monitor.incidents.grouping import apply
from monitor.incidents.observations import SignalIdentity, observation_of
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.storage.errors import ConcurrentWriteError

HOUR = 3_600_000_000


def breach(hour):
    finding = Finding(
        detector="psi", series="psi(x)", failure_mode=FailureMode.BEHAVIOURAL,
        verdict=Verdict.BEYOND, departure=Estimate(2.0, 1.5, 3.0),
    )
    axes = Axes(effect=2, reach=3, stakes=2, reversal=1, people=0)
    return Breach(
        identity=SignalIdentity(
            system="loans", environment="production", failure_mode=finding.failure_mode,
            series="psi(x)", slice="all", baseline_id="b",
        ),
        detector="psi",
        observation=observation_of(
            finding, finding_id=f"f{hour}", window=WindowKey(hour * HOUR, (hour + 1) * HOUR)
        ),
        suggestion=Suggestion(tier=Tier.SEV2, could_be=Tier.SEV1, axes=axes, policy="p 1"),
        onset_us=0,
    )


with Store.open(url) as store:
    incidents = store.incidents("loans/production")
    for hour in range(n_hours):
        while True:
            changes = apply(
                incidents.all(), [breach(hour)], rules=GroupingRules(), known_us=hour * HOUR
            )
            try:
                incidents.apply(changes, recorded_us=hour * HOUR)
            except ConcurrentWriteError:
                print("crossed", flush=True)
                continue
            break
"""
WRITES_NOTES = """
from monitor.clock import SystemClock
from monitor.engine.response.acting import ActingDesk
from monitor.incidents.acts.base import Occasion
from monitor.incidents.acts.recording import WriteDown
from monitor.incidents.roles import Person, Role

by = Person(name=name, role=Role.ON_CALL)
with Store.open(url) as store:
    desk = ActingDesk(store=store, monitor="loans/production", clock=SystemClock())
    for number in range(n_notes):
        desk.act(
            "1", WriteDown(text=f"{name} {number}"), Occasion(by=by, now_us=0, reason="noted")
        )
"""


def together(url: str, *programs: str) -> Sequence[str]:
    """Run programs that start writing at one moment; return what they printed."""
    numbers = (str(N_HOURS), str(N_NOTES))
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", MEETING + program, url, f"writer {number}", *numbers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number, program in enumerate(programs)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    printed = [writer.communicate(timeout=120)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * len(writers)
    return printed


def test_the_same_breaches_from_two_processes_are_one_incident_with_each_window_once(
    database_url: str,
) -> None:
    Store.open(database_url).close()

    together(database_url, *[SEES_BREACHES] * N_WRITERS)

    with Store.open(database_url) as store:
        incidents = store.incidents(MONITOR)
        (incident,) = incidents.all()
        kinds = [each.entry.kind for each in incidents.timeline(incident.id)]
        assert kinds.count(EntryKind.OPENED) == 1
        assert [each.n_windows for each in incident.signals] == [N_HOURS]
        assert incidents.broken_links(incident.id) == ()


def test_notes_of_people_and_windows_of_the_monitor_at_once_are_all_in_one_chain(
    database_url: str,
) -> None:
    with Store.open(database_url):
        pass
    together(database_url, SEES_BREACHES)

    together(database_url, SEES_BREACHES, WRITES_NOTES, WRITES_NOTES)

    with Store.open(database_url) as store:
        incidents = store.incidents(MONITOR)
        (incident,) = incidents.all()
        timeline = incidents.timeline(incident.id)
        notes = {e.entry.body.get("text") for e in timeline if e.entry.kind is EntryKind.NOTE}
        assert notes == {f"writer {w} {n}" for w in (1, 2) for n in range(N_NOTES)}
        assert [each.seq for each in timeline] == list(range(1, len(timeline) + 1))
        assert incidents.broken_links(incident.id) == ()
