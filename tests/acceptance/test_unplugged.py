"""Everything works with the network unplugged except delivery, which queues."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.case import Case, Listener
from tests.acceptance.whole_case import FLAG, PROBE, ROLLBACK, UNPLUGGED
from tests.monitor.engine.daemon.toy import events

ROOT = Path(__file__).parents[2]
DETECTORS = """
  - {type: missing_rate, column: score}
  - {type: filter_silence, check: output/moderation}
"""


def a_case(folder: Path, port: int) -> Case:
    flags, probe = folder / "flags.json", folder / "serving"
    flags.write_text(json.dumps(FLAG))
    probe.write_text(PROBE.format(flags=str(flags)))
    probe.chmod(0o755)
    more = ROLLBACK.format(flags=flags, probe=probe)
    case = Case.made(folder, port=port, detectors=DETECTORS.strip("\n"), more=more)
    case.log(events(0, 8, seed=2, per_hour=60, drift_from=4, drift_until=99))
    return case


def without_a_network() -> list[str]:
    """Return what puts a program where there is no network at all, if this may be done here."""
    program = shutil.which("unshare")
    if program is None:
        return []
    prefix = [program, "-rn"]
    tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    return prefix if tried.returncode == 0 else []


def worked_through(case: Case) -> dict[str, Any]:
    place = case.folder / "unplugged"
    place.mkdir()
    (place / "sitecustomize.py").write_text(UNPLUGGED)
    asked = str(case.folder / "asked")
    command = [sys.executable, "-m", "tests.acceptance.whole_case", str(case.folder), asked]
    path = os.pathsep.join([str(place), str(ROOT)])
    done = subprocess.run(
        [*without_a_network(), *command],
        env={**os.environ, "PYTHONPATH": path, "ASKED_FOR_A_NETWORK": asked},
        capture_output=True,
        text=True,
        check=False,
        cwd=case.folder,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_whole_case_is_worked_through_without_a_network_and_what_waited_is_delivered_once(
    tmp_path: Path, listener: Listener
) -> None:
    case = a_case(tmp_path, listener.port)

    seen = worked_through(case)

    assert (seen["audit"], seen["fact"], seen["rolled_back"]) == (1, "SEV1", "verified")
    assert (seen["contained"], seen["resolved"]) == ("contained", "resolved")
    assert "words on contact" in seen["draft"]
    assert "words on the cause" in seen["post_mortem"]
    assert seen["verify"]["violations"] == []
    # Nothing but the delivery asked for a network, and the delivery did.
    assert seen["asked"] == []
    assert seen["asked_to_send"]
    assert (seen["sent"]["sent"], seen["sent"]["failed"]) == (0, 1)
    assert listener.told == []
    waiting = json.loads(case.ran("outbox", "list", str(case.path), "--json"))
    assert {each["state"] for each in waiting} == {"waiting"}

    case.ran("outbox", "retry", str(case.path), *(each["id"] for each in waiting))
    first, again = case.send(), case.send()

    assert (first["sent"], again["sent"]) == (len(waiting), 0)
    assert sorted(key for key, _ in listener.told) == sorted(each["id"] for each in waiting)
    kinds = [notice["kind"] for notice in listener.notices()]
    assert kinds[0] == "opened"
    assert {"acknowledged", "rolled_back", "finished"} <= {*kinds}
    case.act("verify", "--anchor", str(case.folder / "heads.jsonl"))
