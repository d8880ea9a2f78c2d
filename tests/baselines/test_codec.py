"""A baseline file is either exactly right or refused in one clear sentence."""

import dataclasses
import hashlib
import struct
from pathlib import Path

import pytest

from baselines.baseline import Baseline
from baselines.codec import BaselineFormatError, decode_baseline, encode_baseline, read_summary
from baselines.description import provenance_from

GOLDEN_FILES = {
    "format_1.owbl": "a059d73a84a385d4fae642b098e9876fa816dcec978a4be41ae3819366d4cf1c",
}
RESTORE = "restore the file, or promote another version and remove this one"


@pytest.mark.parametrize(("name", "baseline_id"), GOLDEN_FILES.items())
def test_files_of_every_released_format_stay_readable(
    name: str, baseline_id: str, golden_baseline: Baseline
) -> None:
    path = Path(__file__).parent / "golden" / name

    baseline = decode_baseline(path.read_bytes(), expected_id=baseline_id)

    assert baseline == golden_baseline


def test_every_released_format_has_a_golden_file() -> None:
    written = {path.name for path in (Path(__file__).parent / "golden").glob("*.owbl")}

    assert written == set(GOLDEN_FILES)


def test_a_baseline_comes_back_whole(golden_baseline: Baseline) -> None:
    decoded = decode_baseline(encode_baseline(golden_baseline))

    assert decoded.id == golden_baseline.id
    assert decoded.schema == golden_baseline.schema
    assert decoded.layout == golden_baseline.layout
    assert decoded.references == golden_baseline.references
    assert decoded.history == golden_baseline.history
    assert decoded.provenance == golden_baseline.provenance


def test_a_provenance_with_other_facts_is_refused_in_one_sentence() -> None:
    with pytest.raises(BaselineFormatError, match=r"it tells source; fit the baseline again"):
        provenance_from({"source": "logs"})


def test_the_beginning_of_a_file_is_enough_for_a_summary(golden_baseline: Baseline) -> None:
    summary = read_summary(encode_baseline(golden_baseline)[:700])

    assert summary["id"] == golden_baseline.id
    assert summary["n_windows"] == 3
    assert summary["provenance"]["source"] == "written by hand"


@pytest.mark.parametrize("bit", [0, 7])
def test_a_flipped_bit_anywhere_is_noticed(golden_baseline: Baseline, bit: int) -> None:
    data = encode_baseline(golden_baseline)

    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << bit
        with pytest.raises(BaselineFormatError):
            decode_baseline(bytes(damaged))


def test_a_file_cut_short_anywhere_or_grown_is_noticed(golden_baseline: Baseline) -> None:
    data = encode_baseline(golden_baseline)

    for length in range(1, len(data)):
        with pytest.raises(BaselineFormatError, match=r"cut short|not a baseline file"):
            decode_baseline(data[:length])
    with pytest.raises(BaselineFormatError, match="damaged"):
        decode_baseline(data + b"\0")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", f"this baseline file is empty; {RESTORE}"),
        (
            b"PAR1 and so on",
            f"this is not a baseline file: it begins with b'PAR1', not b'OWBL'; {RESTORE}",
        ),
        (b"OWBL", f"this baseline file is cut short: it has only 4 bytes; {RESTORE}"),
        (
            b"OWBL" + struct.pack("<HQ", 2, 0) + bytes(32),
            "this baseline file has format 2, this version of outputwatch reads format 1; "
            "upgrade outputwatch or fit the baseline again",
        ),
    ],
)
def test_what_cannot_be_read_is_explained_in_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(BaselineFormatError) as caught:
        decode_baseline(data)

    assert str(caught.value) == sentence


def test_another_baseline_than_expected_is_refused(golden_baseline: Baseline) -> None:
    with pytest.raises(BaselineFormatError, match=f"holds baseline {golden_baseline.id}, not abc"):
        decode_baseline(encode_baseline(golden_baseline), expected_id="abc")


@pytest.mark.parametrize("body", [b"not compressed", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_a_right_checksum_over_wrong_content_is_still_refused(body: bytes) -> None:
    prefix = struct.pack("<4sHQ", b"OWBL", 1, len(body))
    data = prefix + hashlib.sha256(prefix + body).digest() + body

    with pytest.raises(BaselineFormatError, match="checksum is right but its content is not"):
        decode_baseline(data)
    with pytest.raises(BaselineFormatError, match="beginning of this baseline file is damaged"):
        read_summary(data)


def test_the_id_is_that_of_schema_layout_and_counts(golden_baseline: Baseline) -> None:
    shorter = dataclasses.replace(golden_baseline, history=golden_baseline.history[:-1])
    first, *others = golden_baseline.history
    whole = dataclasses.replace(
        golden_baseline, history=(dataclasses.replace(first, complete=True), *others)
    )
    again = dataclasses.replace(
        golden_baseline, references=dict(reversed(golden_baseline.references.items()))
    )

    assert len({golden_baseline.id, shorter.id, whole.id}) == 3
    assert again.id == golden_baseline.id


def test_the_same_rows_give_the_same_id_wherever_they_were_fitted(
    golden_baseline: Baseline,
) -> None:
    provenance = dataclasses.replace(golden_baseline.provenance, source="elsewhere")

    elsewhere = dataclasses.replace(golden_baseline, provenance=provenance)

    assert elsewhere.id == golden_baseline.id
    assert decode_baseline(encode_baseline(elsewhere)).provenance == provenance
