"""Rollbacks: executions and their steps, locks, consent in advance, and the stop switch."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
HASH = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
BODY = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    _create_execution_tables()
    _create_safeguard_tables()


def _create_execution_tables() -> None:
    op.create_table(
        "rollback_execution",
        sa.Column("id", HASH, nullable=False),
        sa.Column("plan", WORDS, nullable=False),
        sa.Column("target", WORDS, nullable=False),
        sa.Column("incident_id", HASH),
        sa.Column("stage", WORDS, nullable=False),
        sa.Column("prepared_us", sa.BigInteger(), nullable=False),
        sa.Column("applying_us", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", BODY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rollback_execution"),
    )
    op.create_index(
        "ix_rollback_execution_target_applying_us",
        "rollback_execution",
        ["target", "applying_us"],
        unique=False,
    )
    op.create_index(
        "ix_rollback_execution_incident_id", "rollback_execution", ["incident_id"], unique=False
    )
    op.create_table(
        "rollback_step",
        sa.Column("execution_id", HASH, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", WORDS, nullable=False),
        sa.Column("body", BODY, nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"],
            ["rollback_execution.id"],
            name="fk_rollback_step_rollback_execution",
        ),
        sa.PrimaryKeyConstraint("execution_id", "seq", name="pk_rollback_step"),
    )


def _create_safeguard_tables() -> None:
    op.create_table(
        "rollback_lock",
        sa.Column("target", WORDS, nullable=False),
        sa.Column("execution_id", HASH, nullable=False),
        sa.Column("owner", WORDS, nullable=False),
        sa.Column("lease_until_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["execution_id"],
            ["rollback_execution.id"],
            name="fk_rollback_lock_rollback_execution",
        ),
        sa.PrimaryKeyConstraint("target", name="pk_rollback_lock"),
    )
    op.create_table(
        "rollback_armed",
        sa.Column("id", HASH, nullable=False),
        sa.Column("plan", WORDS, nullable=False),
        sa.Column("rule", WORDS, nullable=False),
        sa.Column("used_by", HASH),
        sa.Column("body", BODY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rollback_armed"),
    )
    op.create_index(
        "ix_rollback_armed_plan_rule", "rollback_armed", ["plan", "rule"], unique=False
    )
    op.create_table(
        "rollback_switch",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", BODY, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_rollback_switch"),
    )
