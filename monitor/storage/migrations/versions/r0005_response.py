"""What people and the response to an incident need: timers, silences, a vault."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
HASH = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
BODY = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "incident_timer",
        sa.Column("id", HASH, nullable=False),
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("incident_id", HASH, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("tier", WORDS, nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("leased_until_us", sa.BigInteger(), nullable=True),
        sa.Column("fired_us", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_us", sa.BigInteger(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident_timer"),
    )
    op.create_index("ix_incident_timer_monitor_due_us", "incident_timer", ["monitor", "due_us"])
    op.create_index("ix_incident_timer_incident_id", "incident_timer", ["incident_id"])
    op.create_table(
        "silence",
        sa.Column("id", HASH, nullable=False),
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("body", BODY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_silence"),
    )
    op.create_index("ix_silence_monitor_until_us", "silence", ["monitor", "until_us"])
    op.create_table(
        "incident_key",
        sa.Column("incident_id", HASH, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("destroyed_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("incident_id", name="pk_incident_key"),
    )
    op.create_table(
        "incident_secret",
        sa.Column("incident_id", HASH, nullable=False),
        sa.Column("commitment", HASH, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "commitment", name="pk_incident_secret"),
    )
