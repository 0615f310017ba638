"""modes of control: objectives of rooms, kill switches of homes, comparisons by days."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "kill_switch",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("home_id", BIG_ID, nullable=True),
        sa.Column("engaged_at", sa.BigInteger(), nullable=False),
        sa.Column("engaged_by", sa.String(length=200), nullable=True),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["home_id"], ["home.id"], name=op.f("fk_kill_switch_home_id_home"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kill_switch")),
    )
    with op.batch_alter_table("kill_switch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kill_switch_released_at"), ["released_at"], unique=False)
    op.create_table(
        "trial",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("room_id", BIG_ID, nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_trial_room_id_room"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial")),
    )
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trial_room_id"), ["room_id"], unique=False)
    op.create_table(
        "trial_day",
        sa.Column("trial_id", BIG_ID, nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("arm", sa.String(length=20), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("assigned_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["trial.id"], name=op.f("fk_trial_day_trial_id_trial"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("trial_id", "day", name=op.f("pk_trial_day")),
    )
    with op.batch_alter_table("room", schema=None) as batch_op:
        batch_op.add_column(sa.Column("objective", sa.String(length=20), nullable=True))
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.add_column(sa.Column("control", sa.String(length=20), nullable=True))


def downgrade() -> None:
    """Take it back."""
    # not as a batch: on SQLite that drops the table and makes it anew, and every row that refers to it goes along
    op.drop_column("decision", "control")
    op.drop_column("room", "objective")
    op.execute("UPDATE room SET control = 'auto' WHERE control = 'ab'")  # a word that older code does not know
    op.drop_table("trial_day")
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trial_room_id"))
    op.drop_table("trial")
    with op.batch_alter_table("kill_switch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kill_switch_released_at"))
    op.drop_table("kill_switch")
