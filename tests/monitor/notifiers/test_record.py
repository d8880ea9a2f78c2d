"""The channel that writes into a file."""

import json
from pathlib import Path

import pytest

from monitor.notifiers.base import DeliveryError
from monitor.notifiers.record import RecordingChannel


def test_every_notice_is_a_line_that_says_in_whose_place_it_is(
    tmp_path: Path, notice, sending
) -> None:
    file = tmp_path / "notices.jsonl"
    channel = RecordingChannel(channel="on call", path=str(file), stands_for="pagerduty")

    channel.deliver(notice(drill=True), sending)
    channel.deliver(notice(drill=True), sending)

    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == 2
    assert lines[0]["subject"].startswith("DRILL [SEV2 suggested")
    assert (lines[0]["channel"], lines[0]["stands_for"]) == ("on call", "pagerduty")
    assert lines[0]["key"] == sending.key
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path, notice, sending) -> None:
    channel = RecordingChannel(channel="on call", path=str(tmp_path / "no" / "notices.jsonl"))

    with pytest.raises(DeliveryError, match="cannot be written"):
        channel.deliver(notice(), sending)
