"""Alert rules name metrics that exist; this is a check of names and form, not of PromQL."""

import re
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
