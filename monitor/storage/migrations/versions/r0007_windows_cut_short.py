"""Which windows were closed before their time, and how many of them are in sums."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nothing tells the windows apart that an older program cut short: they stay unmarked.
    op.add_column(
        "window_summary",
        sa.Column("cut_short", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "compacted_window",
        sa.Column("n_cut_short", sa.BigInteger(), nullable=False, server_default="0"),
    )
