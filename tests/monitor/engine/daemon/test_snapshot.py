"""Evidence that was written and read back decides as if nothing had happened."""

import os
import pickle
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.summary import Window
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.decision.evidence import EvidenceEvent
from monitor.engine.daemon import snapshot
from monitor.engine.daemon.snapshot import SnapshotError, read_snapshot, write_snapshot
from monitor.engine.judgement import Judge, Judgement
from monitor.severity.scoring import FiveAxes
from tests.monitor.engine.daemon.toy import baseline, closed, configure, events

LAYOUT = baseline().layout


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return load_configuration(configure(tmp_path_factory.mktemp("snapshot")))


@pytest.fixture(scope="module")
def windows() -> list[tuple[Window, ...]]:
    """Return windows that drift, recover and stop, and slices that appear later."""
    first = events(0, 34, seed=3, drift_from=10, drift_until=16)
    second = events(37, 8, seed=4, regions=("eu", "us", "apac", "mea"))
    return closed([*first, *second])


def judge_of(configuration: Configuration) -> Judge:
    return Judge(configuration=configuration, baseline=baseline(), policy=FiveAxes())


def told(judgement: Judgement) -> list[Any]:
    """Return everything that a judgement says."""
    each = [(j.id, j.finding, j.transition, j.evidence) for j in judgement.judged]
    return [each, judgement.breaches, judgement.recoveries]


@pytest.fixture(scope="module")
def undisturbed(
    configuration: Configuration, windows: Sequence[tuple[Window, ...]]
) -> tuple[list[list[Any]], list[bytes]]:
    """Return what each stretch brings in one go, and the evidence after each."""
    judge = judge_of(configuration)
    judgements, snapshots = [], []
    for group in windows:
        judgements.append(told(judge.judge(group)))
        snapshots.append(write_snapshot(judge.remembered(), LAYOUT))
    moments = [e.event for found in judgements for _, _, _, e in found[0] if e is not None]
    assert EvidenceEvent.ALARM in moments
    assert EvidenceEvent.RETURNED in moments
    return judgements, snapshots


def test_after_every_window_the_next_is_judged_as_without_the_interruption(
    configuration: Configuration,
    windows: Sequence[tuple[Window, ...]],
    undisturbed: tuple[list[list[Any]], list[bytes]],
) -> None:
    judgements, snapshots = undisturbed
    judge = judge_of(configuration)

    for after, evidence in enumerate(snapshots[:-1]):
        judge.recall(read_snapshot(evidence, LAYOUT))
        assert told(judge.judge(windows[after + 1])) == judgements[after + 1]


@pytest.mark.parametrize("after", [13])
def test_a_new_process_goes_on_to_the_same_end(
    configuration: Configuration,
    windows: Sequence[tuple[Window, ...]],
    undisturbed: tuple[list[list[Any]], list[bytes]],
    after: int,
) -> None:
    judgements, snapshots = undisturbed
    judge = judge_of(configuration)

    judge.recall(read_snapshot(snapshots[after], LAYOUT))

    assert [told(judge.judge(group)) for group in windows[after + 1 :]] == judgements[after + 1 :]


class Runs:
    """Runs a command when it is unpickled, unless somebody prevents it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def sealed(body: bytes) -> bytes:
    """Return a snapshot with a right header around any pickle."""
    body = zlib.compress(body)
    return snapshot._header(body) + body


def test_a_snapshot_cannot_run_anything(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"it names posix\.system"):
        read_snapshot(write_snapshot(Runs(tmp_path / "ran"), LAYOUT), LAYOUT)

    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "body",
    [
        b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.",
        b"\x80\x04\x8c\x0fmonitor.printing\x8c\x0awrite_line\x93.",
        b"\x80\x04\x8c\x15monitor.engine.audit.\x8c\x09os.system\x93.",
        b"\x80\x04\x8c\x0dmonitor.clock\x8c\x0ctime.time_ns\x93.",
        b"\x80\x04\x8c\x0dmonitor.never\x8c\x05Never\x93.",
        pickle.dumps(np.zeros(3))[:-9],
        b"",
        b"\x80\x04\x8c\x05other\x94\x51.",
    ],
)
def test_what_names_anything_but_states_or_breaks_off_is_refused(body: bytes) -> None:
    with pytest.raises(SnapshotError):
        read_snapshot(sealed(body), LAYOUT)


def test_damage_and_other_versions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    written = write_snapshot({"a": np.arange(3)}, LAYOUT)
    damaged = written[:-1] + bytes([written[-1] ^ 1])

    with pytest.raises(SnapshotError, match="undamaged"):
        read_snapshot(damaged, LAYOUT)
    with pytest.raises(SnapshotError):
        read_snapshot(b"", LAYOUT)
    monkeypatch.setattr(snapshot, "__version__", "0.0.1")
    with pytest.raises(SnapshotError, match=r"0\.0\.1"):
        read_snapshot(written, LAYOUT)
