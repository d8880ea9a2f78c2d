"""A writer that is killed in the middle loses nothing it finished and counts nothing twice."""

import signal
import subprocess
import sys

from monitor.storage import Store

N_UNITS = 400
WRITER = """
import sys
from monitor.storage import Store

with Store.open(sys.argv[1]) as store:
    ledger = store.ledger("job")
    finished = ledger.finished()
    for number in range(int(sys.argv[2])):
        unit = f"unit {number:04}"
        if unit in finished:
            continue
        partials = [("all", start, start + 1, b"%d" % number) for start in range(5)]
        ledger.put(unit, n_records=2, n_rows=1, rejected={"x": 1}, partials=partials)
        print(number, flush=True)
"""


def start_writer(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, url, str(N_UNITS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_writer_is_resumed_without_loss_or_double_counting(database_url: str) -> None:
    for last_line_before_the_kill in ("30", "110"):
        with start_writer(database_url) as writer:
            assert writer.stdout is not None
            for line in writer.stdout:
                if line.strip() == last_line_before_the_kill:
                    break
            writer.send_signal(signal.SIGKILL)

    with Store.open(database_url) as store:
        halfway = store.ledger("job").finished()
        counted = {body for *_, bodies in store.ledger("job").merged() for body in bodies}
        assert 110 < len(halfway) < N_UNITS
        assert counted == {b"%d" % int(unit.split()[1]) for unit in halfway}

    with start_writer(database_url) as writer:
        writer.communicate(timeout=60)

    with Store.open(database_url) as store:
        ledger = store.ledger("job")
        totals = ledger.totals()
        assert (totals.n_units, totals.n_rows, totals.rejected) == (
            N_UNITS,
            N_UNITS,
            {"x": N_UNITS},
        )
        for _, _, _, bodies in ledger.merged():
            assert bodies == [b"%d" % number for number in range(N_UNITS)]
