"""A real stream followed through Kafka comes to what an audit of the same outputs comes to."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.brokers.topics import create_topic, produce
from tests.integration.census_stream import PARTITIONS, Stream, census_stream, configuration

INCIDENTS = 3
CLIENTS = {
    "kafka-python": "client: kafka-python, fast_decode: 'off'",
    "kafka-python-blocks": "client: kafka-python, fast_decode: auto",
    "confluent-kafka": "client: confluent-kafka",
}


@dataclass(frozen=True)
class Outcome:
    """What is in a database afterwards."""

    windows: list[tuple[Any, ...]]
    findings: list[tuple[Any, ...]]
    incidents: list[str]


def outcome(database: Path) -> Outcome:
    window = "start_us, slice, ordinal, end_us, n_rows, body"
    with sqlite3.connect(database) as connection:
        found = Outcome(
            windows=connection.execute(
                f"SELECT {window} FROM window_summary ORDER BY {window}"
            ).fetchall(),
            findings=connection.execute(
                "SELECT id, verdict, effect, body FROM finding ORDER BY id"
            ).fetchall(),
            incidents=[id_ for (id_,) in connection.execute("SELECT id FROM incident ORDER BY 1")],
        )
    connection.close()
    return found


def outputwatch(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the program as a user does; return its status and its answer."""
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments, "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("census")


@pytest.fixture(scope="module")
def stream(folder: Path, real_data: Path) -> Stream:
    return census_stream(real_data, folder)


@pytest.fixture(scope="module")
def audited(folder: Path, stream: Stream) -> Outcome:
    path = str(configuration(folder, "audited", "{type: files, paths: [log.jsonl]}"))
    fit = ("baseline", "fit", path, "--promote", "--who", "me", "--why", "the year before")
    assert outputwatch(folder, *fit)[0] == 0
    assert outputwatch(folder, "audit", path)[0] == INCIDENTS
    return outcome(folder / "audited.db")


@pytest.fixture(scope="module")
def topic(kafka: Any, stream: Stream) -> str:
    name = create_topic(kafka.bootstrap, partitions=PARTITIONS)
    produce(kafka.bootstrap, name, dealt(stream), partitions=PARTITIONS, compression="lz4")
    return name


def dealt(stream: Stream) -> Iterator[bytes]:
    """Yield the records so that each comes to its own partition; blank ones fill the ends."""
    longest = max(map(len, stream.records))
    for number in range(longest):
        for records in stream.records:
            yield records[number] if number < len(records) else b""


@pytest.mark.parametrize("client", CLIENTS)
def test_what_was_followed_is_what_an_audit_finds(
    kafka: Any, folder: Path, stream: Stream, audited: Outcome, topic: str, client: str
) -> None:
    source = (
        f"{{type: kafka, bootstrap_servers: ['{kafka.bootstrap}'], topics: [{topic}], "
        f"group: {topic}-{client}, {CLIENTS[client]}}}"
    )
    path = configuration(folder, client, source)
    n_blank = sum(max(map(len, stream.records)) - len(each) for each in stream.records)
    n_rejected = stream.n_rejected + n_blank

    status, account = outputwatch(folder, "run", str(path), "--until-caught-up")

    followed = outcome(folder / f"{client}.db")
    assert followed.windows == audited.windows
    assert followed.findings == audited.findings
    assert followed.incidents == audited.incidents != []
    assert status == INCIDENTS
    assert account["n_rows"] == stream.n_rows
    assert account["n_duplicates"] == stream.n_duplicates > 1_000
    assert sum(account["rejected"].values()) == n_rejected > 100
    assert account["n_late"] == account["unaccounted"] == 0
    assert account["n_records"] == stream.n_rows + stream.n_duplicates + n_rejected
