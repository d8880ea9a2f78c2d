"""A flag file that the OpenFeature SDK reads in a running program."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.rollbacks.adapters.flag_file import FlagFile
from monitor.rollbacks.execution import EndState
from monitor.rollbacks.probes.http import HttpProbe
from tests.integration.rollbacks.environments import cached_environment
from tests.monitor.rollbacks.carrying_out import carried_out, plan_to
from tests.monitor.rollbacks.test_flag_file import path

__all__ = ["path"]

VERSION = "0.6.1"
SERVING = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType

api.set_provider(
    FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=sys.argv[1])
)
client = api.get_client()

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        prompt = client.get_string_value("prompt", "the program's own default")
        self.send_response(200)
        self.send_header("X-Prompt", prompt.split()[0])
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture
def serving(path: Path) -> Iterator[str]:
    """Give the address of a program that serves what the flag says."""
    python = cached_environment("openfeature-provider-flagd", VERSION)
    with subprocess.Popen(
        [python, "-c", SERVING, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def test_a_running_program_follows_the_flag_back(path: Path, serving: str, tmp_path: Path) -> None:
    probe = HttpProbe(url=serving, header="X-Prompt")
    assert probe.read() == "prompt-8"
    adapter = FlagFile(path=str(path), flag="prompt")

    ended = carried_out(plan_to(adapter, probe, to="careful", serving="prompt-7"), tmp_path)

    assert ended.end is EndState.VERIFIED, ended.explanation


def test_a_program_with_rules_of_its_own_is_seen_not_to_follow(
    path: Path, serving: str, tmp_path: Path
) -> None:
    """A targeting rule goes before the default variant: the flag moves, what is served stays."""
    probe = HttpProbe(url=serving, header="X-Prompt")
    document = json.loads(path.read_text("utf-8"))
    document["flags"]["prompt"]["targeting"] = {"if": [True, "bold"]}
    path.write_text(json.dumps(document))
    adapter = FlagFile(path=str(path), flag="prompt")
    plan = plan_to(adapter, probe, to="careful", serving="prompt-7", max_minutes=0.05)

    ended = carried_out(plan, tmp_path)

    assert ended.end is EndState.APPLIED_NOT_SERVING
    assert "targeting rules" in ended.dry_run.text
