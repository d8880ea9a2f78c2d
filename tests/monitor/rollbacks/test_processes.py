import os
import sys
import time
from pathlib import Path

import pytest

from monitor.rollbacks.errors import NotAppliedError, UnreadableError
from monitor.rollbacks.processes import check_program, run_program
from monitor.rollbacks.values import KEPT_BYTES


def python(code: str, **options: object) -> object:
    return run_program([sys.executable, "-c", code], timeout_seconds=20, **options)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie is dead, only not buried by whoever adopted it.
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"


def test_fifty_megabytes_of_output_are_read_and_64_kib_are_kept() -> None:
    began = time.monotonic()

    finished = python("import sys\nfor _ in range(50): sys.stdout.write('x' * (1 << 20))")

    assert (finished.status, finished.truncated) == (0, True)
    assert len(finished.output) == KEPT_BYTES
    assert time.monotonic() - began < 10


def test_the_environment_is_empty_and_the_input_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter22")

    finished = python("import os, sys\nprint(dict(os.environ), repr(sys.stdin.read()))")

    assert "hunter22" not in finished.output
    assert "DATABASE_PASSWORD" not in finished.output
    assert finished.first_line.endswith("''")


def test_a_program_that_does_not_end_is_ended_with_children_that_ignore_it(
    tmp_path: Path,
) -> None:
    pids = tmp_path / "pids"
    code = f"""
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(2):
    os.fork()
with open({str(pids)!r}, "a") as file:
    file.write(f"{{os.getpid()}}\\n")
time.sleep(600)
"""
    began = time.monotonic()

    finished = run_program([sys.executable, "-c", code], timeout_seconds=1.5)

    assert finished.timed_out
    assert time.monotonic() - began < 8
    started = [int(line) for line in pids.read_text().split()]
    assert len(started) == 4
    time.sleep(0.1)
    assert not any(is_alive(pid) for pid in started)


def test_a_child_that_is_left_behind_neither_delays_the_end_nor_outlives_it(
    tmp_path: Path,
) -> None:
    pid = tmp_path / "pid"
    code = f"""
import os, time
child = os.fork()
if child == 0:
    time.sleep(600)
open({str(pid)!r}, "w").write(str(child))
print("v7", flush=True)
os._exit(0)
"""
    began = time.monotonic()

    finished = python(code)

    assert (finished.status, finished.first_line, finished.timed_out) == (0, "v7", False)
    assert time.monotonic() - began < 5
    time.sleep(0.1)
    assert not is_alive(int(pid.read_text()))


def test_a_child_in_a_session_of_its_own_does_not_keep_us_waiting() -> None:
    code = """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(6)
    os._exit(0)
print("v7", flush=True)
os._exit(0)
"""
    began = time.monotonic()

    finished = python(code)

    assert finished.first_line == "v7"
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("start", [0, KEPT_BYTES - 4])
def test_secrets_are_replaced_wherever_the_output_is_cut(start: int) -> None:
    code = f"import sys\nsys.stdout.write('x' * {start} + 'hunter22' + 'y' * 100_000)"

    finished = python(code, secrets=["hunter22"])

    assert "hunt" not in finished.output
    assert len(finished.output) <= KEPT_BYTES


def test_a_program_that_cannot_be_started_did_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotAppliedError, match="cannot be started"):
        run_program([str(tmp_path / "none")], timeout_seconds=1)


def test_what_a_program_reads_is_handed_over_in_whole() -> None:
    sent = b"x" * (1 << 20)

    finished = python("import sys\nprint(len(sys.stdin.read()))", stdin=sent)

    assert finished.first_line == str(len(sent))


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o644])
def test_a_program_that_others_may_write_or_nobody_may_run_is_refused(
    tmp_path: Path, mode: int
) -> None:
    program = tmp_path / "switch"
    program.write_text("#!/bin/sh\n")
    program.chmod(mode)

    with pytest.raises(UnreadableError, match=r"must be (writable by its owner|a file)"):
        check_program(str(program))
