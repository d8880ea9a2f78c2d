"""A monitor as people have it: a configuration, traffic, commands, and a channel that listens."""

import contextlib
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from monitor.cli import run_command_line
from tests.monitor.engine.daemon.toy import Event, configure, lines

__all__ = [
    "ADA",
    "BEN",
    "EVE",
    "LEA",
    "REASON",
    "SECOND_CEM",
    "Case",
    "Listener",
    "listening",
]

REASON = ("--reason", "because of what was seen")
EVE = ("--by", "eve", "--role", "on_call", *REASON)
ADA = ("--by", "ada", "--role", "commander", *REASON)
BEN = ("--by", "ben", "--role", "ml_lead", *REASON)
LEA = ("--by", "lea", "--role", "legal", *REASON)
SECOND_CEM = ("--second", "cem", "--second-role", "communications")

FILLED = {"ada": "commander", "ben": "ml_lead", "lea": "legal", "cem": "communications"}

PEOPLE = """
people:
  members:
    eve: [on_call]
    ada: [commander, owner]
    ben: [ml_lead, product]
    lea: [legal]
    cem: [communications]
"""
CHANNEL = """
notifiers:
  audits: true
  channels:
    - type: webhook
      channel: own
      url: http://127.0.0.1:{port}/
      secret: sesame
      timeout_seconds: 5
      allow_private: true
"""


@dataclass
class Listener:
    """What a server on the loopback was told: the keys and the notices, in order."""

    port: int
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def notices(self, kind: str = "") -> list[dict[str, Any]]:
        return [notice for _, notice in self.told if kind in ("", notice["kind"])]


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """Provide a server that takes every notice."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            listener.told.append((self.headers["Idempotency-Key"], body["notice"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the output of tests clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    listener = Listener(server.server_address[1])
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Case:
    """One monitor in a folder of its own, used through its command line alone."""

    folder: Path
    path: Path
    stderr: str = ""

    @classmethod
    def made(
        cls, folder: Path, *, port: int = 9, more: str = "", detectors: str = "", **options: Any
    ) -> "Case":
        """Configure a monitor; its channel is a port, its detectors the usual ones or others."""
        sections = PEOPLE + CHANNEL.format(port=port) + more
        case = cls(folder, configure(folder, more=sections, **options))
        if detectors:
            between = re.compile(r"(?<=^detectors:\n).*?(?=^\w)", re.MULTILINE | re.DOTALL)
            case.edit(lambda text: between.sub(detectors + "\n", text.replace("\n\n", "\n")))
        return case

    def edit(self, change: Callable[[str], str]) -> None:
        """Change the configuration; a change that changes nothing is a mistake of the test."""
        before = self.path.read_text()
        after = change(before)
        assert after != before
        self.path.write_text(after)

    @property
    def database(self) -> Path:
        return self.folder / "state.db"

    def log(self, traffic: list[Event]) -> None:
        """Append to the log that is watched."""
        with (self.folder / "logs" / "a.jsonl").open("a") as file:
            file.write(lines(traffic))

    def ran(self, *words: str, status: int = 0) -> str:
        """Run a command, whose status must be as said, and return what it wrote."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found = run_command_line([*words])
        self.stderr = err.getvalue()
        assert found == status, (words, out.getvalue(), self.stderr)
        return out.getvalue()

    def audit(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.ran("audit", str(self.path), "--json", status=3))
        return answer

    def act(self, verb: str, *words: str, status: int = 0) -> Any:
        """Run a verb of `incident`; the answer if it is done, else the words of the refusal."""
        out = self.ran("incident", verb, str(self.path), *words, "--json", status=status)
        return json.loads(out) if status == 0 else out + self.stderr

    def fill_roles(self, number: int | str) -> None:
        """Name whoever a grave incident takes before it can be resolved."""
        for name, role in FILLED.items():
            self.act("assign", str(number), *EVE, "--to", name, "--as", role)
        self.act("assign", str(number), *EVE, "--to", "ben", "--as", "product")

    def comms(self, verb: str, *words: str, status: int = 0) -> str:
        out = self.ran("comms", verb, str(self.path), *words, status=status)
        return out if status == 0 else out + self.stderr

    def incidents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.act("list")
        return found

    def shown(self, number: int | str) -> dict[str, Any]:
        found: dict[str, Any] = self.act("show", str(number))
        return found

    def send(self, *, status: int = 0) -> dict[str, Any]:
        """Deliver what is due, as cron does."""
        out = self.ran("outbox", "send", str(self.path), "--json", status=status)
        answer: dict[str, Any] = json.loads(out)
        return answer
