"""What the deployment files promise; nothing is started here."""

import http.client
import json
import re
from pathlib import Path

import pytest
import yaml

from monitor.cli import command_parser
from monitor.config.load import load_configuration
from monitor.engine.daemon.telling import vocabulary
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Metrics
from monitor.telemetry.server import DEFAULT_PORT, TelemetryServer

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "configs/compose/monitor.yaml"
ENVIRONMENT = {
    "OUTPUTWATCH_DB_HOST": "database",
    "OUTPUTWATCH_DB_PASSWORD": "made-up",
}
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
MANIFEST = {
    part["kind"]: part
    for part in yaml.safe_load_all((ROOT / "deploy/kubernetes/outputwatch.yaml").read_text())
}
POD = MANIFEST["StatefulSet"]["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]


def test_the_configuration_that_is_deployed_loads() -> None:
    configuration = load_configuration(CONFIGURATION, environment=ENVIRONMENT)

    assert configuration.source.name == "kafka"
    assert configuration.run.telemetry == f"0.0.0.0:{DEFAULT_PORT}"


def test_every_variable_of_the_configuration_is_set_where_it_is_deployed() -> None:
    wanted = set(re.findall(r"\$\{(\w+)\}", CONFIGURATION.read_text()))

    assert wanted == set(ENVIRONMENT)
    assert wanted <= set(COMPOSE["services"]["monitor"]["environment"])
    assert wanted <= {variable["name"] for variable in CONTAINER["env"]}


def test_no_password_is_written_down() -> None:
    password = next(v for v in CONTAINER["env"] if v["name"] == "OUTPUTWATCH_DB_PASSWORD")

    assert "secretKeyRef" in password["valueFrom"]
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or value.startswith("${")


def test_the_image_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    last_stage = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM")) :]

    assert "USER 10001:10001" in last_stage
    assert f"EXPOSE {DEFAULT_PORT}" in last_stage
    assert any(f":{DEFAULT_PORT}/healthz" in line for line in last_stage)


def test_compose_runs_the_monitor_read_only_and_publishes_on_the_loopback() -> None:
    monitor = COMPOSE["services"]["monitor"]

    assert monitor["read_only"] is True
    assert monitor["cap_drop"] == ["ALL"]
    assert monitor["ports"] == [f"127.0.0.1:{DEFAULT_PORT}:{DEFAULT_PORT}"]
    assert monitor["depends_on"].keys() <= COMPOSE["services"].keys()


def test_the_pod_is_confined_and_its_probes_hit_the_port() -> None:
    context = CONTAINER["securityContext"]
    probes = [
        CONTAINER[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")
    ]

    assert POD["securityContext"]["runAsNonRoot"] is True
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert [probe["path"] for probe in probes] == ["/healthz", "/healthz", "/readyz"]
    assert CONTAINER["ports"] == [{"name": "telemetry", "containerPort": DEFAULT_PORT}]
    assert {probe["port"] for probe in probes} == {"telemetry"}


def test_selectors_match_the_pods() -> None:
    labels = MANIFEST["StatefulSet"]["spec"]["template"]["metadata"]["labels"]

    assert MANIFEST["Service"]["spec"]["selector"] == labels
    assert MANIFEST["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels


def test_every_mount_has_its_volume() -> None:
    volumes = {volume["name"] for volume in POD["volumes"]}
    claims = MANIFEST["StatefulSet"]["spec"]["volumeClaimTemplates"]
    volumes |= {claim["metadata"]["name"] for claim in claims}

    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == volumes


def test_the_systemd_unit_restarts_reloads_and_is_confined() -> None:
    unit = (ROOT / "deploy/systemd/outputwatch.service").read_text().splitlines()

    wanted = {
        "Restart=always",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "TimeoutStopSec=30",
        "User=outputwatch",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
    }
    assert wanted <= set(unit)


def commands() -> dict[str, list[str]]:
    """Return what is started, by where that is written."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    unit = (ROOT / "deploy/systemd/outputwatch.service").read_text()
    started = re.findall(
        r"^Exec(Start|StartPre)=/opt/outputwatch/bin/outputwatch (.+)$", unit, re.M
    )
    return {
        "image": json.loads(re.findall(r"^CMD (\[.+\])$", dockerfile, re.M)[0]),
        "compose upgrade": COMPOSE["services"]["upgrade"]["command"],
        "compose monitor": COMPOSE["services"]["monitor"]["command"],
        "kubernetes": CONTAINER["args"],
        **{f"systemd {kind}": line.split() for kind, line in started},
    }


@pytest.mark.parametrize("where", commands())
def test_every_command_that_is_started_exists_with_its_options(where: str) -> None:
    arguments = commands()[where]

    parsed = command_parser().parse_args(arguments)

    assert parsed.configuration == "/etc/outputwatch/monitor.yaml"


def test_every_path_that_is_asked_for_is_answered() -> None:
    asked = {
        CONTAINER[f"{kind}Probe"]["httpGet"]["path"]
        for kind in ("startup", "liveness", "readiness")
    }
    asked |= set(re.findall(rf":{DEFAULT_PORT}(/\w+)", (ROOT / "Dockerfile").read_text()))
    metrics = Metrics(vocabulary(), version="0")
    health = Health(stalled_after_seconds=60)

    with TelemetryServer(metrics, health, host="127.0.0.1", port=0) as server:
        answers = {path: status_of(server.port, path) for path in (*asked, "/nothing")}

    assert answers.pop("/nothing") == 404
    assert set(answers.values()) <= {200, 503}
    assert len(answers) == 2


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status
