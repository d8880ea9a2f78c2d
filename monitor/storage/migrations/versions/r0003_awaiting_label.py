"""Outputs that wait for their labels."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "awaiting_label",
        sa.Column("monitor", WORDS, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("monitor", "id", name="pk_awaiting_label"),
    )
    op.create_index(
        "ix_awaiting_label_monitor_state_time_us",
        "awaiting_label",
        ["monitor", "state", "time_us"],
        unique=False,
    )
