"""One Apache Kafka node in its own process, for tests."""

import base64
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path
from typing import Self

from tests.brokers.errors import BrokerError
from tests.brokers.kafka_node.jars import KAFKA_VERSION, cached_jars
from tests.brokers.kafka_node.security import Security
from tests.brokers.kafka_node.settings import java_options, server_properties
from tests.brokers.ports import LOOPBACK, free_port

__all__ = ["KafkaNode"]

READY = "Kafka Server started"
READY_SECONDS = 60
STOP_SECONDS = 20
LOG_TAIL = 40


class KafkaNode:
    """A real broker: KRaft, one node, on the loopback interface, data in `data_folder`.

    The first `start` formats the folder; later ones find what was written before, on the same
    port. As a context manager it starts, and is killed at the end. With `security` it listens
    for TLS as well, with client certificates and with passwords.
    """

    is_real = True
    description = f"Apache Kafka {KAFKA_VERSION}, one node"

    def __init__(self, data_folder: Path, security: Security | None = None) -> None:
        self._folder = data_folder
        self.security = security
        secured = ("SSL", "SASL_SSL") if security else ()
        self._ports = {name: free_port() for name in ("CONTROLLER", "PLAINTEXT", *secured)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients connect, as host:port."""
        return self.bootstrap_of("PLAINTEXT")

    def bootstrap_of(self, listener: str) -> str:
        """Where clients connect that speak PLAINTEXT, SSL or SASL_SSL."""
        return f"{LOOPBACK}:{self._ports[listener]}"

    @property
    def pid(self) -> int:
        """The process of the running node."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start the node and return when it serves; raise `BrokerError` with its log if not."""
        if self._process is not None:
            message = "a node must be stopped before it is started again"
            raise BrokerError(message)
        properties = self._folder / "server.properties"
        if not properties.is_file():
            self._format(properties)
        already_logged = self._log_path.stat().st_size if self._log_path.exists() else 0
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*_dying_with_parent(), *self._java("kafka.Kafka"), str(properties)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._await_ready(already_logged)

    def stop(self) -> None:
        """End the node in order, as an operator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the node at once with SIGKILL."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop in order and start again, on the same port and with the same log."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze the node: it keeps its connections and answers nothing until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen node go on."""
        self._signal(signal.SIGCONT)

    def log(self) -> str:
        """Return what the node has written to its own log."""
        return self._log_path.read_text("utf-8", "replace")

    @property
    def _log_path(self) -> Path:
        return self._folder / "server.log"

    def _java(self, main_class: str) -> list[str]:
        return ["java", *java_options(cached_jars(), self._folder), main_class]

    def _format(self, properties: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        security = self.security
        more = security.server_properties() if security else {}
        text = server_properties(self._folder / "logs", self._ports, more)
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        draft = properties.with_suffix(".draft")
        draft.write_text(text, "utf-8")
        command = [*self._java("kafka.tools.StorageTool"), "format", "--standalone"]
        command += [f"--cluster-id={cluster_id}", f"--config={draft}"]
        command += security.format_options() if security else []
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            message = f"the storage of a Kafka node must be formatted: {done.stdout}{done.stderr}"
            raise BrokerError(message)
        draft.rename(properties)

    def _await_ready(self, already_logged: int) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while READY not in self._log_path.read_bytes()[already_logged:].decode("utf-8", "replace"):
            if self._process is None or self._process.poll() is not None:
                self._give_up("a Kafka node ended while it started")
            if time.monotonic() > deadline:
                self._give_up(f"a Kafka node was not ready after {READY_SECONDS} s")
            time.sleep(0.05)

    def _give_up(self, what: str) -> None:
        self.kill()
        tail = "\n".join(self.log().splitlines()[-LOG_TAIL:])
        message = f"{what}; the end of its log:\n{tail}"
        raise BrokerError(message)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _dying_with_parent() -> list[str]:
    # A test run that is itself killed must not leave a virtual machine behind.
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
