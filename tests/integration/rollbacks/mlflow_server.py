"""A tracking server of MLflow with SQLite, on the loopback interface."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.brokers.ports import LOOPBACK, free_port
from tests.integration.rollbacks.environments import cached_environment

__all__ = ["MLFLOW_VERSION", "add_prompt_version", "add_version", "call", "running_mlflow"]

MLFLOW_VERSION = "3.17.2"
READY_SECONDS = 180


@contextlib.contextmanager
def running_mlflow(folder: Path) -> Iterator[str]:
    """Give the address of a fresh server."""
    url = f"http://{LOOPBACK}:{free_port()}"
    arguments = ["-m", "mlflow", "server", "--host", LOOPBACK, "--port", url.rpartition(":")[2]]
    arguments += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--workers", "1"]
    arguments += ["--artifacts-destination", str(folder / "artifacts")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [cached_environment("mlflow", MLFLOW_VERSION), *arguments],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "DO_NOT_TRACK": "true"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await_ready(process, url, folder / "log")
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def call(url: str, path: str, asked: Mapping[str, object]) -> dict[str, object]:
    """Return what the server answers to a POST."""
    request = urllib.request.Request(
        f"{url}/api/2.0/mlflow/{path}",
        data=json.dumps(asked).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def add_version(url: str, model: str, **described: object) -> str:
    """Add a version to a registered model and return its number."""
    asked = {"name": model, "source": f"s3://models/{model}", **described}
    return call(url, "model-versions/create", asked)["model_version"]["version"]


def add_prompt_version(url: str, prompt: str, text: str) -> str:
    """Add a version to a prompt and return its number."""
    tags = [
        {"key": "mlflow.prompt.is_prompt", "value": "true"},
        {"key": "mlflow.prompt.text", "value": text},
    ]
    return add_version(url, prompt, source="prompt-template", tags=tags)


def _await_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    for _ in range(READY_SECONDS * 2):
        assert process.poll() is None, log.read_text()[-2000:]
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(f"{url}/health", timeout=5),
        ):
            return
        time.sleep(0.5)
    message = f"MLflow must serve within {READY_SECONDS} seconds: {log.read_text()[-2000:]}"
    raise AssertionError(message)
