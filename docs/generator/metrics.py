"""The page about the metrics of the monitor itself."""

from docs.generator.markdown import code, table
from monitor.telemetry.catalogue import CATALOGUE

__all__ = ["metrics_page"]

_INTRODUCTION = """\
# Metrics

`/metrics` answers in the text format of Prometheus. Counters start at 0 with the process and
include work done again after a restart; the truth about windows is in the database.

Labels have a closed set of values (reasons of rejection, kinds of notices, verdicts, states,
tiers); what is not in it is counted as `other`. Of partitions the first 256 by name have a series
each, the lag of the rest is added up as `other`. Metrics named `process_` tell memory, CPU time
and open files. Alert rules on these metrics: `configs/alerts/outputwatch.rules.yaml`.
"""


def metrics_page() -> str:
    """Return the page."""
    rows = [
        (
            code(metric.name),
            metric.kind.value,
            code(metric.label) if metric.label else "",
            metric.text,
        )
        for metric in CATALOGUE
    ]
    return "\n".join([_INTRODUCTION, *table(("metric", "kind", "label", "meaning"), rows)])
