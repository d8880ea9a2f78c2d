"""A drill goes from end to end without one outside message, whatever channels are configured."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import FixedClock
from monitor.drills.planting import Drill
from monitor.drills.playing import BEGIN_US, play
from monitor.drills.telling import told_instead
from monitor.engine.incident_desk import monitor_name
from monitor.engine.response.desk import ResponseDesk
from monitor.incidents.roles import Person, RefusedActError, Role
from monitor.notifiers.record import RecordingChannel
from monitor.storage.outbox import OutboxRepository
from monitor.storage.store import Store


@dataclass
class Listening:
    """A server that takes every connection, says nothing, and counts."""

    port: int
    connections: list[object] = field(default_factory=list)


@pytest.fixture
def listening() -> Iterator[Listening]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        state, over = Listening(server.getsockname()[1]), threading.Event()

        def accept() -> None:
            while not over.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                state.connections.append(address)
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        yield state
        over.set()
        thread.join()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return the addresses that this process connects to from now on."""
    addresses: list[object] = []
    for name in ("connect", "connect_ex"):
        original = getattr(socket.socket, name)

        def counted(self: socket.socket, address: object, original: Any = original) -> Any:
            addresses.append(address)
            return original(self, address)

        monkeypatch.setattr(socket.socket, name, counted)
    return addresses


@pytest.fixture
def theirs(tmp_path: Path, listening: Listening) -> Path:
    """Return a monitor's configuration with channels that would reach the server."""
    path = tmp_path / "production.yaml"
    path.write_text(f"""
version: 1
system: {{name: loans}}
source: {{type: files, paths: [none.jsonl]}}
schema:
  columns:
    - {{name: ts, role: timestamp}}
    - {{name: score, role: score}}
windows: {{type: tumbling, seconds: 3600}}
detectors: [{{type: missing_rate, column: score}}]
storage: {{url: "sqlite:///production.db"}}
people:
  members:
    Nora: [on_call, scribe]
    Omar: [commander]
    Pia: [ml_lead]
    Quin: [product]
    Rosa: [legal]
    Sven: [communications]
notifiers:
  channels:
    - type: webhook
      channel: deployer
      url: http://127.0.0.1:{listening.port}/hook
      secret: s
      allow_private: true
      drill: true
    - type: slack
      channel: team
      webhook: http://127.0.0.1:{listening.port}/slack
      allow_private: true
    - type: smtp
      channel: mail
      host: 127.0.0.1
      port: {listening.port}
      sender: a@example.org
      recipients: [b@example.org]
      security: none
      allow_private: true
""")
    return path


def test_a_scripted_drill_opens_no_connection_and_writes_down_what_it_would_have_told(
    theirs: Path, tmp_path: Path, listening: Listening, connected: list[object]
) -> None:
    played = play("dead-filter", tmp_path / "drill", against=theirs)

    assert played.incident.drill
    assert connected == []
    assert listening.connections == []
    told = told_instead(played.drill.place.notices)
    assert set(told) == {"deployer (webhook)", "team (slack)", "mail (smtp)"}
    assert not (tmp_path / "production.db").exists()
    # Every notice of the outbox went to a file.
    configuration = played.drill.configuration
    assert {type(each) for each in configuration.notifiers.channels} == {RecordingChannel}
    with Store.open(configuration.storage.url, must_exist=True) as store:
        outbox = OutboxRepository(store, monitor_name(configuration))
        assert {state.value for state, n in outbox.counts().items() if n} == {"sent"}
    # The people of the configuration play, and nobody else.
    actors = {each.entry.actor for each in played.timeline}
    assert actors - {"monitor"} <= {"Nora", "Omar", "Pia", "Quin", "Rosa", "Sven"}
    assert played.incident.holder(Role.COMMANDER) == "Omar"
    # Not even by hand.
    with Store.open(configuration.storage.url, must_exist=True) as store:
        desk = ResponseDesk(configuration, store, FixedClock(BEGIN_US))
        by = desk.occasion(Person(name="Sven", role=Role.COMMUNICATIONS))
        with pytest.raises(RefusedActError, match="this is a drill"):
            desk.sent("1", "affected", by, recipients=3, how="letter")


def test_a_drill_that_people_play_opens_no_connection_either(
    theirs: Path, tmp_path: Path, listening: Listening, connected: list[object]
) -> None:
    clock = FixedClock(BEGIN_US)
    drill = Drill.begun("refusal-gap", tmp_path / "drill", clock=clock, against=theirs)
    clock.us += 5 * 60_000_000
    drill.go_on()

    assert connected == []
    assert listening.connections == []
