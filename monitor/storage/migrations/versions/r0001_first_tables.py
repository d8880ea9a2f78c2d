"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from monitor.storage.migrations.timeline_guard import guard_timeline

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Byte order on both databases: a merge must not depend on the locale of a server.
WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
HASH = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
BODY = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    _create_audit_tables()
    _create_result_tables()
    _create_incident_tables()
    guard_timeline()


def _create_audit_tables() -> None:
    op.create_table(
        "audit_job",
        sa.Column("id", HASH, nullable=False),
        sa.Column("config_digest", HASH, nullable=False),
        sa.Column("baseline_id", HASH, nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_job"),
    )
    op.create_table(
        "unit",
        sa.Column("job_id", WORDS, nullable=False),
        sa.Column("unit_id", WORDS, nullable=False),
        sa.Column("n_records", sa.BigInteger(), nullable=False),
        sa.Column("n_rows", sa.BigInteger(), nullable=False),
        sa.Column("n_lines", sa.BigInteger(), nullable=False),
        sa.Column("rejected", BODY, nullable=False),
        sa.Column("remarks", BODY, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "unit_id", name="pk_unit"),
    )
    op.create_table(
        "partial",
        sa.Column("job_id", WORDS, nullable=False),
        sa.Column("start_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slice", WORDS, nullable=False),
        sa.Column("end_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_id", WORDS, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id", "unit_id"], ["unit.job_id", "unit.unit_id"], name="fk_partial_unit"
        ),
        sa.PrimaryKeyConstraint(
            "job_id", "start_us", "slice", "end_us", "unit_id", name="pk_partial"
        ),
    )
    op.create_table(
        "dead_letter",
        sa.Column("job_id", WORDS, nullable=False),
        sa.Column("unit_id", WORDS, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("body", BODY, nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id", "unit_id"], ["unit.job_id", "unit.unit_id"], name="fk_dead_letter_unit"
        ),
        sa.PrimaryKeyConstraint("job_id", "unit_id", "ordinal", name="pk_dead_letter"),
    )


def _create_result_tables() -> None:
    op.create_table(
        "window_summary",
        sa.Column("job_id", WORDS, nullable=False),
        sa.Column("start_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slice", WORDS, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("n_rows", sa.BigInteger(), nullable=False),
        sa.Column("baseline_id", HASH, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "job_id", "start_us", "slice", "ordinal", name="pk_window_summary"
        ),
    )
    op.create_table(
        "finding",
        sa.Column("job_id", WORDS, nullable=False),
        sa.Column("id", HASH, nullable=False),
        sa.Column("series", WORDS, nullable=False),
        sa.Column("slice", WORDS, nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("detector", WORDS, nullable=False),
        sa.Column("failure_mode", WORDS, nullable=False),
        sa.Column("verdict", WORDS, nullable=False),
        sa.Column("n_rows", sa.BigInteger(), nullable=False),
        sa.Column("tolerance", sa.Float(precision=53), nullable=False),
        sa.Column("effect", sa.Float(precision=53)),
        sa.Column("low", sa.Float(precision=53)),
        sa.Column("high", sa.Float(precision=53)),
        sa.Column("departure", sa.Float(precision=53)),
        sa.Column("departure_low", sa.Float(precision=53)),
        sa.Column("departure_high", sa.Float(precision=53)),
        sa.Column("body", BODY, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "id", name="pk_finding"),
    )
    op.create_index(
        "ix_finding_job_id_series_slice_start_us",
        "finding",
        ["job_id", "series", "slice", "start_us"],
        unique=False,
    )
    op.create_table(
        "series_state",
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("series", WORDS, nullable=False),
        sa.Column("slice", WORDS, nullable=False),
        sa.Column("body", BODY, nullable=False),
        sa.PrimaryKeyConstraint("monitor", "series", "slice", name="pk_series_state"),
    )


def _create_incident_tables() -> None:
    op.create_table(
        "incident",
        sa.Column("id", HASH, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("failure_mode", WORDS, nullable=False),
        sa.Column("tier", WORDS, nullable=False),
        sa.Column("could_be", WORDS, nullable=False),
        sa.Column("confirmed", WORDS),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", BODY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("number", name="uq_incident_number"),
    )
    op.create_index("ix_incident_monitor_state", "incident", ["monitor", "state"], unique=False)
    op.create_table(
        "incident_entry",
        sa.Column("incident_id", HASH, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", HASH, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("occurred_us", sa.BigInteger(), nullable=False),
        sa.Column("known_us", sa.BigInteger(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", WORDS, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("prev", HASH, nullable=False),
        sa.Column("hash", HASH, nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_entry_incident"
        ),
        sa.PrimaryKeyConstraint("incident_id", "seq", name="pk_incident_entry"),
        sa.UniqueConstraint("incident_id", "key", name="uq_incident_entry_incident_id_key"),
    )
