"""What the metrics promise."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.telemetry.accounts import BatchAccount, Vocabulary
from monitor.telemetry.catalogue import CATALOGUE, MetricKind
from monitor.telemetry.metrics import Metrics

WORDS = Vocabulary(
    reasons=("invalid_json", "missing_timestamp"),
    notices=("retention_gap",),
    verdicts=("within", "beyond"),
    states=("inactive", "firing"),
    tiers=("SEV1", "SEV2"),
)
NOW_US = 1_800_000_000_000_000


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(WORDS, version="1.2.3")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"outputwatch_{name}", labels)


def exposed(metrics: Metrics) -> dict[str, str]:
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {family.name: family.type for family in families}


def test_a_batch_is_told_once_in_every_count(metrics) -> None:
    account = BatchAccount(
        records=20, rows=12, late=1, duplicates=2, outside=3, rejected={"invalid_json": 2}
    )

    metrics.counted(account, at_us=NOW_US)

    assert value(metrics, "records_total") == 20
    assert value(metrics, "rows_total") == 12
    assert value(metrics, "late_rows_total") == 1
    assert value(metrics, "duplicate_rows_total") == 2
    assert value(metrics, "outside_rows_total") == 3
    assert value(metrics, "rejected_records_total", reason="invalid_json") == 2
    assert value(metrics, "unaccounted_records") == 0
    assert value(metrics, "last_record_timestamp_seconds") == 1_800_000_000


@pytest.mark.parametrize(("rows", "missing"), [(9, 1), (12, -2)])
def test_records_that_vanish_or_double_are_shown(metrics, rows, missing) -> None:
    metrics.counted(BatchAccount(records=10, rows=rows), at_us=NOW_US)

    assert value(metrics, "unaccounted_records") == missing


def test_an_empty_batch_is_no_record(metrics) -> None:
    metrics.counted(BatchAccount(records=0), at_us=NOW_US)

    assert value(metrics, "last_record_timestamp_seconds") == 0


def test_known_labels_start_at_zero(metrics) -> None:
    assert value(metrics, "rejected_records_total", reason="missing_timestamp") == 0
    assert value(metrics, "findings_total", verdict="beyond") == 0
    assert value(metrics, "series", state="firing") == 0
    assert value(metrics, "outbox_messages", state="dead") == 0


def test_unknown_label_values_make_no_new_series(metrics) -> None:
    before = metrics.exposition().count(b"\n")

    for number in range(50):
        metrics.noticed(f"kind {number}")
        metrics.decided(1, {f"verdict {number}": 2}, at_us=NOW_US)

    assert metrics.exposition().count(b"\n") == before
    assert value(metrics, "source_notices_total", kind="other") == 50
    assert value(metrics, "findings_total", verdict="other") == 100


def test_lost_positions_are_added_up(metrics) -> None:
    metrics.noticed("retention_gap", lost_records=40)
    metrics.noticed("retention_gap", lost_records=2)

    assert value(metrics, "gap_records_total") == 42
    assert value(metrics, "source_notices_total", kind="retention_gap") == 2


def test_the_lag_of_partitions_that_went_away_goes_away(metrics) -> None:
    metrics.lags({"outputs/0": 5, "outputs/1": 7})

    metrics.lags({"outputs/1": 3})

    assert value(metrics, "partition_lag", partition="outputs/0") is None
    assert value(metrics, "partition_lag", partition="outputs/1") == 3
    assert value(metrics, "assigned_partitions") == 1


def test_thousands_of_partitions_have_a_bounded_number_of_series(metrics) -> None:
    metrics.lags({f"outputs/{number:04}": 1 for number in range(1000)})

    lags = [s for f in metrics.registry.collect() for s in f.samples if s.name.endswith("_lag")]
    assert len(lags) == 257
    assert sum(sample.value for sample in lags) == 1000


def test_outputs_that_were_counted_without_the_label_they_waited_for_are_told_apart(
    metrics,
) -> None:
    metrics.counted(
        BatchAccount(records=0, rows=5, waiting=-5, past_horizon=3, crowded_out=2), at_us=NOW_US
    )
    metrics.waiting(outputs=7, labels=4, oldest_age_seconds=86_400.0)

    assert value(metrics, "unlabelled_outputs_total", why="horizon") == 3
    assert value(metrics, "unlabelled_outputs_total", why="limit") == 2
    assert value(metrics, "unaccounted_records") == 0
    assert value(metrics, "waiting_records", side="outputs") == 7
    assert value(metrics, "waiting_records", side="labels") == 4
    assert value(metrics, "oldest_waiting_age_seconds") == 86_400


def test_states_that_have_no_series_any_more_are_zero(metrics) -> None:
    metrics.series({"firing": 2, "inactive": 8})

    metrics.series({"inactive": 10})

    assert value(metrics, "series", state="firing") == 0
    assert value(metrics, "series", state="inactive") == 10


def test_everything_else_is_shown_as_told(metrics) -> None:
    metrics.polled(at_us=NOW_US)
    metrics.windows_open(3, watermark_delay_seconds=12.5)
    metrics.windows_open(4, watermark_delay_seconds=None)
    metrics.checkpointed(0.02, at_us=NOW_US)
    metrics.checkpoint_failed()
    metrics.fenced()
    metrics.decided(2, {"beyond": 1}, at_us=NOW_US)
    metrics.incidents({"SEV1": 1})
    metrics.outbox(waiting=4, dead=1)
    metrics.silent(True)
    metrics.paused(True)
    metrics.windows_due_every(3600)

    assert value(metrics, "last_poll_timestamp_seconds") == 1_800_000_000
    assert value(metrics, "open_windows") == 4
    assert value(metrics, "watermark_delay_seconds") == 12.5
    assert value(metrics, "checkpoint_duration_seconds_bucket", le="0.025") == 1
    assert value(metrics, "checkpoint_duration_seconds_bucket", le="0.01") == 0
    assert value(metrics, "last_checkpoint_timestamp_seconds") == 1_800_000_000
    assert value(metrics, "checkpoint_failures_total") == 1
    assert value(metrics, "fenced_commits_total") == 1
    assert value(metrics, "decided_windows_total") == 2
    assert value(metrics, "last_window_timestamp_seconds") == 1_800_000_000
    assert value(metrics, "open_incidents", tier="SEV1") == 1
    assert value(metrics, "outbox_messages", state="waiting") == 4
    assert value(metrics, "source_silent") == 1
    assert value(metrics, "paused") == 1
    assert value(metrics, "window_due_seconds") == 3600
    assert value(metrics, "build_info", version="1.2.3") == 1


def test_what_is_exposed_is_the_catalogue_and_the_process(metrics) -> None:
    metrics.lags({"outputs/0": 1})

    types = exposed(metrics)

    ours = {name: kind for name, kind in types.items() if name.startswith("outputwatch_")}
    assert ours == {
        metric.name.removesuffix("_total") if metric.kind is MetricKind.COUNTER else metric.name: (
            metric.kind.value
        )
        for metric in CATALOGUE
    }
    assert "process_resident_memory_bytes" in types


def test_two_monitors_in_one_process_do_not_share_counts(metrics) -> None:
    other = Metrics(WORDS, version="1.2.3")

    metrics.fenced()

    assert value(other, "fenced_commits_total") == 0
