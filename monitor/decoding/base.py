"""What decoding hands on: columns, and an account of every record that gave no row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from baselines.columns import Columns

__all__ = ["Decoded", "Needs", "Origin", "RecordRule", "Rejection", "RejectionReason", "Remark"]


class RejectionReason(StrEnum):
    """Why a record gave no row; the set is closed so that counts can be compared."""

    INVALID_JSON = "invalid_json"
    NOT_AN_OBJECT = "not_an_object"
    INVALID_UTF8 = "invalid_utf8"
    LINE_TOO_LONG = "line_too_long"
    WRONG_FIELD_COUNT = "wrong_field_count"
    UNCLOSED_QUOTE = "unclosed_quote"
    NOT_AN_OUTPUT = "not_an_output"
    MISSING_TIMESTAMP = "missing_timestamp"
    INVALID_TIMESTAMP = "invalid_timestamp"
    TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
    TIMESTAMP_IN_FUTURE = "timestamp_in_future"
    INVALID_WEIGHT = "invalid_weight"
    INVALID_VALUE = "invalid_value"
    SCHEMA_MISMATCH = "schema_mismatch"
    TRUNCATED_FILE = "truncated_file"
    UNREADABLE_FILE = "unreadable_file"
    FILE_CHANGED = "file_changed"
    MISSING_EVENT_ID = "missing_event_id"
    MISSING_LABEL = "missing_label"
    LABEL_WITHOUT_OUTPUT = "label_without_output"
    LABEL_AFTER_HORIZON = "label_after_horizon"


class Remark(StrEnum):
    """Something odd in a record that was counted all the same."""

    UNKNOWN_CHECK_STATUS = "unknown_check_status"
    UNKNOWN_CHECK_ACTION = "unknown_check_action"
    UNKNOWN_CHECK_FLAG = "unknown_check_flag"
    MALFORMED_CHECK = "malformed_check"
    TOO_MANY_CHECKS = "too_many_checks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the caller will use; the rest is not decoded.

    Parameters
    ----------
    columns
        Names of columns: of the schema, of text features, or of safety checks
        (``check:...``). None: all. Time and weight are always decoded.
    event_ids
        Whether event ids are wanted.
    excerpts
        Whether rejections may quote the record. Off by default: it is raw text, which may
        hold personal data.
    """

    columns: frozenset[str] | None = None
    event_ids: bool = False
    excerpts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a block of records comes from.

    Parameters
    ----------
    path
        The file or stream.
    position
        The part of it, for people: ``bytes 0-16777216``, ``row group 3``.
    first_line
        The number of the block's first record within that part, from 1.
    """

    path: str = ""
    position: str = ""
    first_line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRule:
    """Which records are outputs: those whose value at `path` is in `accepted` or absent.

    The others are rejected as `not_an_output`: they are counted, and no row comes of them.
    """

    path: str
    accepted: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One record that gave no row, or one file that could not be read.

    Parameters
    ----------
    reason
        Why.
    path, position
        The file, and the part of it that was being read.
    line
        The record's line within that part, from 1; None when the whole part is meant.
    column
        The name of the column whose value was refused, if one was.
    detail
        What was found, without the value itself.
    excerpt
        The beginning of the record; empty unless it was asked for.
    """

    reason: RejectionReason
    path: str
    position: str = ""
    line: int | None = None
    column: str | None = None
    detail: str = ""
    excerpt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """One block of records, decoded.

    Parameters
    ----------
    columns
        The rows.
    rejections
        Some of the rejections, as samples; at most 20 a block, and none of records that are
        merely no outputs.
    rejected
        How many records were rejected, by reason, all of them.
    n_records
        How many records there were. A file that cannot be read counts as one.
    remarks
        How often something odd was met in records that did give a row.

    Raises
    ------
    ValueError
        If rows and rejected records do not add up to `n_records`.
    """

    columns: Columns
    rejections: tuple[Rejection, ...] = ()
    rejected: Mapping[RejectionReason, int] = field(default_factory=dict)
    n_records: int
    remarks: Mapping[Remark, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        accounted = self.columns.n_rows + self.n_rejected
        if accounted != self.n_records:
            message = (
                f"rows and rejections must add up to the records read, got "
                f"{self.columns.n_rows} + {self.n_rejected} for {self.n_records}"
            )
            raise ValueError(message)

    @property
    def n_rejected(self) -> int:
        """Return how many records gave no row."""
        return sum(self.rejected.values())
