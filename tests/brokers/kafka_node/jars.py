"""The jars of a Kafka broker: fetched once by Maven, kept in the user's cache."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.brokers.errors import BrokerError

__all__ = ["KAFKA_VERSION", "cached_jars", "missing_programs"]

POM = Path(__file__).with_name("pom.xml")
FETCH_SECONDS = 600


def _version_in_pom() -> str:
    found = re.search(r"<kafka\.version>([^<]+)</kafka\.version>", POM.read_text("utf-8"))
    assert found is not None
    return found[1]


KAFKA_VERSION = _version_in_pom()


def missing_programs() -> list[str]:
    """Return which of the programs that a Kafka node needs are not in PATH."""
    return [program for program in ("java", "mvn") if shutil.which(program) is None]


def cached_jars() -> Path:
    """Return the folder with the broker's jars; the first call ever lets Maven fetch them.

    The folder's name holds the version and a digest of pom.xml, so a changed pom is fetched
    anew. Several processes may call at once: one fetches, the others wait.

    Raises
    ------
    BrokerError
        If Maven fails.
    """
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:8]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "outputwatch-tests"
    folder = cache / f"kafka-{KAFKA_VERSION}-{digest}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    # A folder that exists is complete: it is renamed only after Maven has succeeded.
    with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
        target = Path(partial) / "jars"
        command = ["mvn", "--batch-mode", "--quiet", "--file", str(POM)]
        command += ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        command += [f"-DoutputDirectory={target}"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
        if done.returncode != 0:
            message = f"maven must fetch Kafka {KAFKA_VERSION}; it ended with {done.returncode}: "
            raise BrokerError(message + (done.stdout + done.stderr)[-2000:])
        target.rename(folder)
