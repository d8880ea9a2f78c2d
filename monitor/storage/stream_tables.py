"""The tables of the running monitor, and of what becomes of its windows when they are old."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
)

from monitor.storage.tables import BODY, HASH, WORDS, metadata

__all__ = [
    "compacted_window",
    "inbox",
    "metadata",
    "monitor",
    "monitor_job",
    "open_partial",
    "outbox",
    "partition",
    "seen_ids",
    "stream_letter",
    "upkeep",
]

# SQLite numbers rows by itself only where the key is spelt INTEGER.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

monitor = Table(
    "monitor",
    metadata,
    Column("name", WORDS, primary_key=True),
    Column("job_id", HASH, nullable=False),
    Column("baseline_id", HASH, nullable=False),
    # How events are cut and counted; where it changes, what is open cannot go on.
    Column("counting", BODY, nullable=False),
    # What decisions rest on; where it changes, the stored windows are judged anew.
    Column("policy_digest", HASH, nullable=False),
    # Start of the last stretch of time that was closed; whatever comes for it is late.
    Column("closed_us", BigInteger),
    # Windows that begin at or before it were closed for another baseline, or without a verdict.
    Column("begun_us", BigInteger),
    Column("revision", BigInteger, nullable=False),
    Column("snapshot", LargeBinary),
)

partition = Table(
    "partition",
    metadata,
    Column("monitor", WORDS, primary_key=True),
    Column("name", WORDS, primary_key=True),
    Column("identity", WORDS, nullable=False),
    Column("position", BigInteger),
    # Grows with every owner: who holds an older one cannot commit.
    Column("epoch", BigInteger, nullable=False),
    Column("owner", WORDS, nullable=False),
    Column("newest_us", BigInteger),
    Column("caught_up", Boolean, nullable=False),
    Column("ended", Boolean, nullable=False),
    # By the wall clock: of the last record, and of the last checkpoint of its owner.
    Column("moved_us", BigInteger, nullable=False),
    Column("attended_us", BigInteger, nullable=False),
    Column("tally", BODY, nullable=False),
)

open_partial = Table(
    "open_partial",
    metadata,
    Column("monitor", WORDS, primary_key=True),
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("slice", WORDS, primary_key=True),
    Column("partition", WORDS, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Index(None, "monitor", "partition"),
)

seen_ids = Table(
    "seen_ids",
    metadata,
    Column("monitor", WORDS, primary_key=True),
    Column("partition", WORDS, primary_key=True),
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

stream_letter = Table(
    "stream_letter",
    metadata,
    Column("monitor", WORDS, primary_key=True),
    Column("partition", WORDS, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", WORDS, primary_key=True),
    Column("recorded_us", BigInteger, nullable=False),
    Column("body", BODY, nullable=False),
    Index(None, "monitor", "reason"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("seq", _NUMBER, primary_key=True, autoincrement=True),
    Column("monitor", WORDS, nullable=False),
    Column("key", WORDS, nullable=False),
    Column("digest", HASH, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("n_records", Integer, nullable=False),
    # None once its records are counted: the key stays for a while, to recognise repetitions.
    Column("body", LargeBinary),
    UniqueConstraint("monitor", "key"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", HASH, primary_key=True),
    Column("monitor", WORDS, nullable=False),
    Column("incident_id", HASH),
    Column("kind", WORDS, nullable=False),
    Column("channel", WORDS, nullable=False),
    Column("body", BODY, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("state", WORDS, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("leased_until_us", BigInteger),
    Column("sent_us", BigInteger),
    Column("provider_id", WORDS),
    Column("last_error", WORDS),
    Index(None, "state", "due_us"),
)

# Apart from the windows: whoever judges windows must never meet one of another length.
compacted_window = Table(
    "compacted_window",
    metadata,
    Column("job_id", WORDS, primary_key=True),
    Column("resolution", WORDS, primary_key=True),
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("slice", WORDS, primary_key=True),
    Column("end_us", BigInteger, nullable=False),
    # Windows that were added up; fewer than those of `all` if the slice was not kept in each.
    Column("n_windows", BigInteger, nullable=False),
    Column("n_rows", BigInteger, nullable=False),
    Column("baseline_id", HASH, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # Those among them that were closed before their time.
    Column("n_cut_short", BigInteger, nullable=False, server_default="0"),
)

# Which jobs a monitor has had: another baseline or another cut of time makes a new one.
monitor_job = Table(
    "monitor_job",
    metadata,
    Column("monitor", WORDS, primary_key=True),
    Column("job_id", WORDS, primary_key=True),
    Column("begun_us", BigInteger, nullable=False),
)

upkeep = Table(
    "upkeep",
    metadata,
    Column("monitor", WORDS, primary_key=True),
    Column("begun_us", BigInteger, nullable=False),
)
