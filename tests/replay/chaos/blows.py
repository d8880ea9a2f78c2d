"""What happens to processes, their broker and their database, by kind."""

import os
import subprocess
from enum import StrEnum
from pathlib import Path

from tests.monitor.storage.conftest import _programs

__all__ = ["FROM_OUTSIDE", "Blow", "restart_postgresql"]


class Blow(StrEnum):
    """A kind of fault from outside."""

    KILLED = "process killed (kill -9) at any instant"
    FROZEN = "process frozen beyond its session, then woken"
    LEFT = "process told to leave (SIGTERM)"
    JOINED = "process joined"
    DROPPED = "connections cut"
    RESTARTED = "broker down and up"
    KICKED = "members kicked from the group"
    LOCKED = "database locked by another program"
    SERVER_DOWN = "database server restarted, without waiting for anybody"
    DISK_FULL = "no space for the database for a while"
    UNAWARE = "process joined, of which a commit will be answered by an error"


FROM_OUTSIDE = (
    Blow.KILLED,
    Blow.FROZEN,
    Blow.LEFT,
    Blow.JOINED,
    Blow.LOCKED,
    Blow.DISK_FULL,
    Blow.UNAWARE,
)
"""What needs nothing of the broker, which others may use too."""


def restart_postgresql(folder: Path) -> None:
    """End a test's PostgreSQL server as a crash does, and start it again."""
    programs = _programs()
    assert programs is not None, "the server runs, so its programs are there"
    as_user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    subprocess.run(
        [str(programs / "pg_ctl"), "-D", str(folder / "data"), "-m", "immediate", "-w",
         "-l", str(folder / "log"), "restart"],
        check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
        **(as_user if os.geteuid() == 0 else {}),
    )  # fmt: skip
