"""What the running monitor remembers: partitions, open and compacted windows, in- and outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
HASH = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
BODY = sa.JSON().with_variant(JSONB(), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _create_monitor_tables()
    _create_window_tables()
    _create_letter_table()
    _create_box_tables()
    _create_retention_tables()


def _create_monitor_tables() -> None:
    op.create_table(
        "monitor",
        sa.Column("name", WORDS, nullable=False),
        sa.Column("job_id", HASH, nullable=False),
        sa.Column("baseline_id", HASH, nullable=False),
        sa.Column("counting", BODY, nullable=False),
        sa.Column("policy_digest", HASH, nullable=False),
        sa.Column("closed_us", sa.BigInteger()),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("name", name="pk_monitor"),
    )
    op.create_table(
        "partition",
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("identity", WORDS, nullable=False),
        sa.Column("position", sa.BigInteger()),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", WORDS, nullable=False),
        sa.Column("newest_us", sa.BigInteger()),
        sa.Column("caught_up", sa.Boolean(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("moved_us", sa.BigInteger(), nullable=False),
        sa.Column("attended_us", sa.BigInteger(), nullable=False),
        sa.Column("tally", BODY, nullable=False),
        sa.PrimaryKeyConstraint("monitor", "name", name="pk_partition"),
    )


def _create_window_tables() -> None:
    op.create_table(
        "open_partial",
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("start_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slice", WORDS, nullable=False),
        sa.Column("partition", WORDS, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "monitor", "start_us", "slice", "partition", name="pk_open_partial"
        ),
    )
    op.create_index(
        "ix_open_partial_monitor_partition", "open_partial", ["monitor", "partition"], unique=False
    )
    op.create_table(
        "seen_ids",
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("partition", WORDS, nullable=False),
        sa.Column("start_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "monitor", "partition", "start_us", "position", name="pk_seen_ids"
        ),
    )


def _create_letter_table() -> None:
    op.create_table(
        "stream_letter",
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("partition", WORDS, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("body", BODY, nullable=False),
        sa.PrimaryKeyConstraint(
            "monitor", "partition", "position", "reason", name="pk_stream_letter"
        ),
    )
    op.create_index(
        "ix_stream_letter_monitor_reason", "stream_letter", ["monitor", "reason"], unique=False
    )


def _create_box_tables() -> None:
    op.create_table(
        "inbox",
        sa.Column("seq", NUMBER, autoincrement=True, nullable=False),
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("key", WORDS, nullable=False),
        sa.Column("digest", HASH, nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("n_records", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("seq", name="pk_inbox"),
        sa.UniqueConstraint("monitor", "key", name="uq_inbox_monitor_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "outbox",
        sa.Column("id", HASH, nullable=False),
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("incident_id", HASH),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("channel", WORDS, nullable=False),
        sa.Column("body", BODY, nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("leased_until_us", sa.BigInteger()),
        sa.Column("sent_us", sa.BigInteger()),
        sa.Column("provider_id", WORDS),
        sa.Column("last_error", WORDS),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_state_due_us", "outbox", ["state", "due_us"], unique=False)


def _create_retention_tables() -> None:
    op.create_table(
        "compacted_window",
        sa.Column("job_id", WORDS, nullable=False),
        sa.Column("resolution", WORDS, nullable=False),
        sa.Column("start_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slice", WORDS, nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("n_windows", sa.BigInteger(), nullable=False),
        sa.Column("n_rows", sa.BigInteger(), nullable=False),
        sa.Column("baseline_id", HASH, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "job_id", "resolution", "start_us", "slice", name="pk_compacted_window"
        ),
    )
    op.create_table(
        "monitor_job",
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("job_id", WORDS, nullable=False),
        sa.Column("begun_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("monitor", "job_id", name="pk_monitor_job"),
    )
    op.create_table(
        "upkeep",
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("begun_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("monitor", name="pk_upkeep"),
    )
