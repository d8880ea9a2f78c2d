"""The pages about the event moe/1 and about records that give no row."""

from collections.abc import Mapping

from docs.generator.markdown import code, table
from monitor.adapters.moe import MOE_OUTPUTS, MOE_SCHEMA
from monitor.decoding.base import RejectionReason, Remark

__all__ = ["EXAMPLE", "moe_page", "rejections_page"]

EXAMPLE = """\
{
  "schema": "moe/1",
  "event_id": "01K3-000017",
  "event_type": "output",
  "ts": "2026-09-01T08:15:30.250Z",
  "model": {"provider": "example", "name": "assistant", "version": "7", "fingerprint": "fp_1"},
  "app": {"name": "support", "prompt_version": "12", "language": "en", "channel": "web"},
  "subject": {"id": "c9a1"},
  "groups": {"age_band": "30-44"},
  "strata": {"plan": "basic"},
  "output": {"finish_reason": "stop", "n_chars": 812, "refusal": {"is": false}},
  "usage": {"input_tokens": 420, "output_tokens": 180},
  "latency_ms": 940,
  "safety": {
    "checks": [
      {"stage": "output", "filter": "moderation", "category": "violence",
       "status": "ok", "flagged": false, "action": "allow"}
    ]
  }
}
"""

_REASONS: Mapping[RejectionReason, str] = {
    RejectionReason.INVALID_JSON: "the line is not JSON",
    RejectionReason.NOT_AN_OBJECT: "the line is JSON, but not an object",
    RejectionReason.INVALID_UTF8: "the bytes are not UTF-8",
    RejectionReason.LINE_TOO_LONG: "the line or CSV record is longer than `max_line_bytes`",
    RejectionReason.WRONG_FIELD_COUNT: "a CSV record has more or fewer fields than the heading",
    RejectionReason.UNCLOSED_QUOTE: "a CSV field is opened by a quote that is never closed",
    RejectionReason.NOT_AN_OUTPUT: "an event of `moe/1` that is no output; no sample is kept",
    RejectionReason.MISSING_TIMESTAMP: "the record has no time",
    RejectionReason.INVALID_TIMESTAMP: "the time cannot be read",
    RejectionReason.TIMESTAMP_OUT_OF_RANGE: "the time is before 1970 or after 2200",
    RejectionReason.TIMESTAMP_IN_FUTURE: (
        "in a stream: the time is further ahead of the clock than `run.max_future_seconds`"
    ),
    RejectionReason.INVALID_WEIGHT: "the weight is not a whole number of at least 0",
    RejectionReason.INVALID_VALUE: "a value cannot be cast to its column's type",
    RejectionReason.SCHEMA_MISMATCH: "a column of the file has a type that cannot be used",
    RejectionReason.TRUNCATED_FILE: "a compressed file ends early; counts as one record",
    RejectionReason.UNREADABLE_FILE: "the file cannot be read; counts as one record",
    RejectionReason.FILE_CHANGED: "the file changed after the audit was planned",
    RejectionReason.MISSING_EVENT_ID: "a label has no event id, so that it has no output",
    RejectionReason.MISSING_LABEL: "a label's record holds none of `source.columns`",
    RejectionReason.LABEL_WITHOUT_OUTPUT: "no output of this event id came in `early_seconds`",
    RejectionReason.LABEL_AFTER_HORIZON: "the label came after its output was counted without it",
}

_REMARKS: Mapping[Remark, str] = {
    Remark.UNKNOWN_CHECK_STATUS: "counted as an error: it is no evidence that the filter works",
    Remark.UNKNOWN_CHECK_ACTION: "counted as no action",
    Remark.UNKNOWN_CHECK_FLAG: "counted as no verdict",
    Remark.MALFORMED_CHECK: "the check is left out, the record is counted",
    Remark.TOO_MANY_CHECKS: "checks beyond the first 256 names of a block are left out",
}


def rejections_page() -> str:
    """Return the page about reasons and remarks."""
    lines = ["# Records that are not counted", ""]
    lines += [
        "Every record gives one row or is rejected for one of these reasons. All are counted;",
        "samples go to the [dead letters](formats.md#dead-letters).",
        "",
    ]
    lines += table(("reason", "meaning"), [(code(r), _REASONS[r]) for r in RejectionReason])
    lines += ["## Remarks", "", "Something odd in a record that was counted all the same.", ""]
    lines += table(("remark", "what was done"), [(code(r), _REMARKS[r]) for r in Remark])
    return "\n".join(lines)


def moe_page() -> str:
    """Return the page about the canonical event."""
    rule = f"`{MOE_OUTPUTS.path}` is {' or '.join(map(code, sorted(MOE_OUTPUTS.accepted)))}"
    lines = [
        "# The event moe/1",
        "",
        "One model output as one JSON object, with `schema: moe/1` in the configuration. Every",
        "value may be absent; only `ts` must be there. Keys that are not listed are not read.",
        "",
        f"Events become rows if {rule} or is absent. Others are counted as `not_an_output`.",
        "",
        "```json",
        EXAMPLE.rstrip(),
        "```",
        "",
        "## Columns",
        "",
    ]
    lines += table(
        ("column", "path", "role", "type", "unit"),
        [
            (code(c.name), code(c.source_path), c.role.value, c.value_dtype.value, c.unit)
            for c in MOE_SCHEMA
        ],
    )
    lines += [
        f"A label is positive if it is {' or '.join(map(code, MOE_SCHEMA['label'].positive))}, a",
        "number or a boolean or text; other labels are classes of their own.",
        "",
        "Each of `system.protected_attributes` adds a group column read from",
        "`groups.<attribute>`; a group is one value, an object there is rejected as",
        "`invalid_value`. A stratum is a column of your own with the path `strata.<name>`.",
        "",
        "## Safety checks",
        "",
        "`safety.checks` is a list. `stage`, `filter` and `category` name the check; `status`",
        "is `ok`, `error`, `timeout` or `skipped`; `flagged` counts only if the status is `ok`;",
        "`action` is `none`, `allow`, `annotate`, `redact`, `block` or `escalate`. A check that",
        "is not in the list is *missing*, never clean. Detectors name a filter `stage/filter`",
        "and one of its categories `stage/filter/category`.",
        "",
    ]
    return "\n".join(lines)
