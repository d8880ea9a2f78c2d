"""A deployer that is called by signed webhook, and serves; a process of its own.

    python deployer.py STATE_FILE SECRET_FILE FAULT

It prints its port. What it deploys and the keys it has seen are in the state file. FAULT is
``none``, ``crash`` (ends after it applied, before it answers), ``slow`` (answers 202 and applies
a second later), ``broken`` (answers 500 and applies nothing) or ``full`` (answers 422).
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from monitor.rollbacks.signing import (
    IDEMPOTENCY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    verify,
)

__all__ = ["running_deployer"]


class State:
    """What is deployed, in a file that survives a crash."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, object]:
        return json.loads(self.path.read_text())

    def apply(self, to: str, key: str) -> None:
        state = self.read()
        if key not in state["keys"]:
            state = {
                "value": to,
                "keys": [*state["keys"], key],
                "applied": state["applied"] + 1,
            }
            self.path.write_text(json.dumps(state))


def handler(state: State, secret: str, fault: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, {"release": {"name": state.read()["value"]}})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            timestamp = int(self.headers.get(TIMESTAMP_HEADER, "0"))
            signature = self.headers.get(SIGNATURE_HEADER, "")
            now = int(time.time())
            if not verify(secret, signature, timestamp=timestamp, body=body, now=now):
                self.answer(401, {"error": f"bad signature, not of {secret}"})
                return
            call = json.loads(body)
            getattr(self, f"do_{call['call']}")(call)

        def do_observe(self, _call: dict[str, str]) -> None:
            self.answer(200, {"value": state.read()["value"]})

        def do_diff(self, call: dict[str, str]) -> None:
            self.answer(200, {"from": state.read()["value"], "to": call["to"], "text": "swap"})

        def do_apply(self, call: dict[str, str]) -> None:
            assert self.headers[IDEMPOTENCY_HEADER] == call["key"]
            if fault in ("broken", "full"):
                self.answer(500 if fault == "broken" else 422, {"error": fault})
            elif state.read()["value"] != call["expect"]:
                self.answer(409, {"error": "moved"})
            elif fault == "slow":
                threading.Timer(1.0, state.apply, [call["to"], call["key"]]).start()
                self.answer(202, {"state": "accepted"})
            else:
                state.apply(call["to"], call["key"])
                if fault == "crash":
                    os._exit(9)
                self.answer(200, {"state": "done"})

        def answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Release", str(state.read()["value"]))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextlib.contextmanager
def running_deployer(
    state: Path, secret: Path, fault: str = "none", port: int = 0
) -> Iterator[str]:
    """Give the address of a deployer in a process of its own."""
    if not state.exists():
        state.write_text(json.dumps({"value": "v8", "keys": [], "applied": 0}))
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-m", __name__, str(state), str(secret), fault, str(port)],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def main() -> None:
    state, secret, fault, port = sys.argv[1:]
    known = Path(secret).read_text().strip()
    server = ThreadingHTTPServer(
        ("127.0.0.1", int(port)), handler(State(Path(state)), known, fault)
    )
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
