"""The tables; `migrations` creates them, and a test holds the two together."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB

__all__ = [
    "BODY",
    "HASH",
    "NAMING",
    "WORDS",
    "audit_job",
    "dead_letter",
    "finding",
    "incident",
    "incident_entry",
    "metadata",
    "partial",
    "series_state",
    "unit",
    "window_summary",
]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

# Byte order on both databases: a merge must not depend on the locale of a server.
WORDS = String().with_variant(String(collation="C"), "postgresql")
HASH = String(64).with_variant(String(64, collation="C"), "postgresql")
BODY = JSON().with_variant(JSONB(), "postgresql")

audit_job = Table(
    "audit_job",
    metadata,
    Column("id", HASH, primary_key=True),
    Column("config_digest", HASH, nullable=False),
    Column("baseline_id", HASH, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

unit = Table(
    "unit",
    metadata,
    Column("job_id", WORDS, primary_key=True),
    Column("unit_id", WORDS, primary_key=True),
    Column("n_records", BigInteger, nullable=False),
    Column("n_rows", BigInteger, nullable=False),
    Column("n_lines", BigInteger, nullable=False),
    Column("rejected", BODY, nullable=False),
    Column("remarks", BODY, nullable=False),
)

partial = Table(
    "partial",
    metadata,
    # The key is in the order of the merge, so that reading it back needs no sort.
    Column("job_id", WORDS, primary_key=True),
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("slice", WORDS, primary_key=True),
    Column("end_us", BigInteger, primary_key=True, autoincrement=False),
    Column("unit_id", WORDS, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    ForeignKeyConstraint(["job_id", "unit_id"], ["unit.job_id", "unit.unit_id"]),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("job_id", WORDS, primary_key=True),
    Column("unit_id", WORDS, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("reason", WORDS, nullable=False),
    Column("body", BODY, nullable=False),
    ForeignKeyConstraint(["job_id", "unit_id"], ["unit.job_id", "unit.unit_id"]),
)

window_summary = Table(
    "window_summary",
    metadata,
    Column("job_id", WORDS, primary_key=True),
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("slice", WORDS, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("end_us", BigInteger, nullable=False),
    Column("n_rows", BigInteger, nullable=False),
    Column("baseline_id", HASH, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # Closed before its time; the rest of it is in no window of the job.
    Column("cut_short", Boolean, nullable=False, server_default=false()),
)

finding = Table(
    "finding",
    metadata,
    # Two audits may hold the same finding: its id names what it says, not who asked.
    Column("job_id", WORDS, primary_key=True),
    Column("id", HASH, primary_key=True),
    Column("series", WORDS, nullable=False),
    Column("slice", WORDS, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("detector", WORDS, nullable=False),
    Column("failure_mode", WORDS, nullable=False),
    Column("verdict", WORDS, nullable=False),
    Column("n_rows", BigInteger, nullable=False),
    Column("tolerance", Float(53), nullable=False),
    Column("effect", Float(53)),
    Column("low", Float(53)),
    Column("high", Float(53)),
    Column("departure", Float(53)),
    Column("departure_low", Float(53)),
    Column("departure_high", Float(53)),
    Column("body", BODY, nullable=False),
    Index(None, "job_id", "series", "slice", "start_us"),
)

series_state = Table(
    "series_state",
    metadata,
    Column("monitor", WORDS, primary_key=True),
    Column("series", WORDS, primary_key=True),
    Column("slice", WORDS, primary_key=True),
    Column("body", BODY, nullable=False),
)

incident = Table(
    "incident",
    metadata,
    Column("id", HASH, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("monitor", WORDS, nullable=False),
    Column("state", WORDS, nullable=False),
    Column("failure_mode", WORDS, nullable=False),
    Column("tier", WORDS, nullable=False),
    Column("could_be", WORDS, nullable=False),
    Column("confirmed", WORDS),
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", BODY, nullable=False),
    UniqueConstraint("number"),
    Index(None, "monitor", "state"),
)

incident_entry = Table(
    "incident_entry",
    metadata,
    Column("incident_id", HASH, ForeignKey("incident.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("key", HASH, nullable=False),
    Column("kind", WORDS, nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("known_us", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("actor", WORDS, nullable=False),
    # Text, not JSON: the very characters that were hashed.
    Column("body", Text, nullable=False),
    Column("prev", HASH, nullable=False),
    Column("hash", HASH, nullable=False),
    UniqueConstraint("incident_id", "key"),
)
