"""Alert rules name metrics that exist, and all have unit tests for promtool.

What PromQL makes of them is for promtool: it runs where it is installed.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from monitor.telemetry.catalogue import CATALOGUE, MetricKind

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "configs/alerts/outputwatch.rules.yaml").read_text(encoding="utf-8")
RULES = [rule for group in yaml.safe_load(TEXT)["groups"] for rule in group["rules"]]
SUFFIXES = ("_bucket", "_sum", "_count")
KNOWN = {m.name: m for m in CATALOGUE}
NAMES = set(KNOWN) | {
    m.name + suffix for m in CATALOGUE if m.kind is MetricKind.HISTOGRAM for suffix in SUFFIXES
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_metric_and_label_of_a_rule_exists(rule) -> None:
    expression = rule["expr"]

    named = re.findall(r"outputwatch_\w+", expression)
    selected = re.findall(r"(outputwatch_\w+)\{(\w+)", expression)

    assert named
    assert set(named) <= NAMES
    assert all(KNOWN[name].label == label for name, label in selected)
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_rule_tells_what_to_do(rule) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert len(rule["annotations"]["runbook"]) > 60
    assert rule["annotations"]["summary"].endswith(".")


def test_alerts_have_names_of_their_own() -> None:
    names = [rule["alert"] for rule in RULES]

    assert len(names) == len(set(names)) >= 8


TESTS = yaml.safe_load(
    (ROOT / "configs/alerts/outputwatch.tests.yaml").read_text(encoding="utf-8")
)["tests"]


def test_every_rule_is_tested_firing_and_quiet_on_metrics_that_exist() -> None:
    alerts = {rule["alert"] for rule in RULES}
    quiet = {one["alertname"] for test in TESTS for one in test["alert_rule_test"]}
    expressions = [one["expr"] for test in TESTS for one in test.get("promql_expr_test", ())]
    given = {series["series"] for test in TESTS for series in test["input_series"]}
    named = {re.match(r"\w+", each).group() for each in given}

    assert quiet == alerts
    assert set(re.findall(r'alertname="(\w+)"', " ".join(expressions))) == alerts
    assert named - {"process_start_time_seconds"} <= NAMES
    for series in given:
        labels = set(re.findall(r"(\w+)=", series)) - {"job", "instance"}
        name = re.match(r"\w+", series).group()
        assert name not in KNOWN or labels <= {KNOWN[name].label}, series


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_the_rules_right_and_their_tests_pass() -> None:
    for arguments in (
        ["check", "rules", "outputwatch.rules.yaml"],
        ["test", "rules", "outputwatch.tests.yaml"],
    ):
        done = subprocess.run(
            ["promtool", *arguments], cwd=ROOT / "configs/alerts", capture_output=True, text=True
        )

        assert done.returncode == 0, done.stdout + done.stderr
