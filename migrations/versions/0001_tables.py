"""All tables; `tenant_id` leads every key"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# In the order in which they can refer to each other.
_TABLES = (
    "event_key",
    "heartbeat",
    "hook_address",
    "leasehold",
    "series_claim",
    "sign_in_hash",
    "tenant",
    "token_hash",
    "admin_token",
    "audit",
    "audit_chain",
    "company_answer",
    "field_profile",
    "hook",
    "job",
    "kept_answer",
    "key",
    "lane",
    "recman_quota",
    "recman_record",
    "record_copy",
    "series_order",
    "sweep",
    "trial_thing",
    "used_rate",
    "customer_check",
    "department",
    "event",
    "hook_headers",
    "hook_shape",
    "key_list",
    "listed_document",
    "making",
    "proving",
    "rule_set",
    "seen_code",
    "shared_org_number",
    "sign_in",
    "transfer",
    "attempt",
    "job_document",
    "export_number",
    "export",
    "accepted_layout",
    "filed_document",
    "export_file",
    "export_document",
)

# Every end of a document's numbers, so that a part of one is what a word begins with.
_ENDS = ", ".join(
    f"left(tenant_id::text, 8) || nullif(substr(lower({number}), {place}, 32), '')"
    for number in ("number", "remote_number", "record_id")
    for place in range(1, 17)
)
_NUMBER_WORDS = f"array_to_tsvector(array_remove(ARRAY[{_ENDS}], NULL))"

# What is seldom is found by listings without walking past all the rest.
_INDEXES = {
    "ix_event_state": "event (tenant_id, state, received_at, id) WHERE state <> 'done'",
    "ix_transfer_by_state": "transfer (tenant_id, state, created_at, id) WHERE state <> 'done'",
    "ix_transfer_by_kind": "transfer (tenant_id, kind, created_at, id)",
    "ix_transfer_by_key_id": "transfer (tenant_id, key_id, created_at, id)",
    "ix_transfer_by_recman_department_id": "transfer (tenant_id, recman_department_id, created_at, id) "
    "WHERE scope = 'invoice'",
    "ix_transfer_by_customer_name": "transfer (tenant_id, customer_name, created_at, id) WHERE scope = 'invoice'",
    "ix_transfer_by_booking": "transfer (tenant_id, booking, created_at, id) WHERE booking IN ('order', 'draft')",
    "ix_transfer_warned": "transfer (tenant_id, created_at, id) WHERE warnings <> '[]'::jsonb",
    "ix_transfer_reasoned": "transfer (tenant_id, created_at, id) WHERE scope = 'invoice' AND reasons <> '[]'::jsonb",
    "ix_transfer_number_words": f"transfer USING gin (({_NUMBER_WORDS})) WHERE scope = 'invoice'",
    "ix_transfer_dated": "transfer (tenant_id, invoice_date, id) WHERE scope = 'invoice'",
    "ix_audit_subject": "audit (tenant_id, subject, at, id)",
}

# Whose the operators' tokens and their part of the audit trail are.
_OPERATORS = "INSERT INTO tenant (id, name) VALUES ('00000000-0000-0000-0000-000000000000', '(operators)')"

# This month and those ahead; what comes for a month that nobody has made lies in the default part.
_MONTHS = """
    DO $$
    DECLARE one record;
    BEGIN
        FOR one IN
            SELECT name, to_char(month, 'YYYY_MM') AS part, month AT TIME ZONE 'UTC' AS begins,
                   (month + interval '1 month') AT TIME ZONE 'UTC' AS ends
            FROM unnest(array['event', 'attempt']) AS name,
                 generate_series(date_trunc('month', now() AT TIME ZONE 'UTC'),
                                 date_trunc('month', now() AT TIME ZONE 'UTC') + interval '3 months',
                                 interval '1 month') AS month
        LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                           one.name || '_' || one.part, one.name, one.begins, one.ends);
        END LOOP;
        CREATE TABLE event_default PARTITION OF event DEFAULT;
        CREATE TABLE attempt_default PARTITION OF attempt DEFAULT;
    END $$
"""

_APPEND_ONLY = (
    """
    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- What law has kept for long enough may go.
        IF TG_OP = 'DELETE' AND OLD.at < now() - interval '5 years' THEN RETURN OLD; END IF;
        RAISE EXCEPTION 'the audit trail is append-only';
    END $$
    """,
    """
    CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()
    """,
    """
    CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """,
)


def upgrade() -> None:
    _make_first()
    _make_others()
    for name, columns in _INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {columns}")
    op.execute(_OPERATORS)
    op.execute(_MONTHS)
    for statement in _APPEND_ONLY:
        op.execute(statement)


def _make_first() -> None:
    _make_event_key()
    _make_hook_address()
    _make_leasehold()
    _make_heartbeat()
    _make_series_claim()
    _make_sign_in_hash()
    _make_tenant()
    _make_token_hash()
    _make_admin_token()
    _make_audit()
    _make_audit_chain()
    _make_company_answer()
    _make_field_profile()
    _make_hook()
    _make_job()
    _make_kept_answer()
    _make_key()
    _make_lane()
    _make_recman_quota()
    _make_recman_record()
    _make_record_copy()
    _make_series_order()
    _make_sweep()


def _make_others() -> None:
    _make_trial_thing()
    _make_used_rate()
    _make_customer_check()
    _make_department()
    _make_event()
    _make_hook_headers()
    _make_hook_shape()
    _make_key_list()
    _make_listed_document()
    _make_making()
    _make_proving()
    _make_rule_set()
    _make_seen_code()
    _make_shared_org_number()
    _make_sign_in()
    _make_transfer()
    _make_attempt()
    _make_job_document()
    _make_export_number()
    _make_export()
    _make_accepted_layout()
    _make_filed_document()
    _make_export_file()
    _make_export_document()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_audit_change()")


def _make_event_key() -> None:
    op.create_table(
        "event_key",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("lane_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dedupe", sa.LargeBinary(), nullable=False),
        sa.Column("hook_id", sa.Uuid(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "lane_id", "dedupe", name=op.f("pk_event_key")),
        prefixes=["UNLOGGED"],
    )


def _make_hook_address() -> None:
    op.create_table(
        "hook_address",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("hook_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_hook_address")),
    )


def _make_leasehold() -> None:
    op.create_table(
        "leasehold",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), server_default=sa.text("'-infinity'"), nullable=False),
        sa.PrimaryKeyConstraint("name", "number", name=op.f("pk_leasehold")),
        postgresql_with={"fillfactor": "50"},
        prefixes=["UNLOGGED"],
    )


def _make_heartbeat() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("turned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeat")),
    )


def _make_series_claim() -> None:
    op.create_table(
        "series_claim",
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("series_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("company_key", "series_id", name=op.f("pk_series_claim")),
    )


def _make_sign_in_hash() -> None:
    op.create_table(
        "sign_in_hash",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sign_in_hash")),
    )


def _make_tenant() -> None:
    op.create_table(
        "tenant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("recman_reads", sa.Text(), server_default="payload", nullable=False),
        sa.Column("recman_api_key", sa.LargeBinary(), nullable=True),
        sa.Column("reading", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("retention", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("recman_reads IN ('api', 'payload')", name=op.f("ck_tenant_recman_reads")),
        sa.CheckConstraint("state IN ('active', 'paused')", name=op.f("ck_tenant_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("name", name=op.f("uq_tenant_name")),
    )


def _make_token_hash() -> None:
    op.create_table(
        "token_hash",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_token_hash")),
    )


def _make_admin_token() -> None:
    op.create_table(
        "admin_token",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holder_id", sa.Uuid(), nullable=True),
        sa.Column("successor_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "role = 'monitor' OR (role = 'operator') = (tenant_id = '00000000-0000-0000-0000-000000000000')",
            name=op.f("ck_admin_token_operators_tenant"),
        ),
        sa.CheckConstraint("role IN ('operator', 'admin', 'viewer', 'monitor')", name=op.f("ck_admin_token_role")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_admin_token_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_admin_token")),
    )


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_audit_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit")),
        sa.UniqueConstraint("tenant_id", "hash", name=op.f("uq_audit_tenant_id_hash")),
    )
    op.create_index("ix_audit_all", "audit", ["at", "id"], unique=False)
    op.create_index("ix_audit_at", "audit", ["tenant_id", "at", "id"], unique=False)


def _make_audit_chain() -> None:
    op.create_table(
        "audit_chain",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("pruned_length", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pruned_hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_audit_chain_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_audit_chain")),
    )


def _make_company_answer() -> None:
    op.create_table(
        "company_answer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("how IN ('tried', 'stated')", name=op.f("ck_company_answer_how")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_company_answer_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "company_key", "question", name=op.f("pk_company_answer")),
    )


def _make_field_profile() -> None:
    op.create_table(
        "field_profile",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("by_id", sa.Boolean(), nullable=True),
        sa.Column("records", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("refused", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("drift", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("probed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("outcome IN ('readable', 'empty', 'refused')", name=op.f("ck_field_profile_outcome")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_field_profile_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "scope", name=op.f("pk_field_profile")),
    )


def _make_hook() -> None:
    op.create_table(
        "hook",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "verification",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text('\'{"kind": "path"}\''),
            nullable=False,
        ),
        sa.Column("secrets", sa.LargeBinary(), nullable=True),
        sa.Column(
            "old_addresses",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("record_first", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_hook_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_hook")),
    )


def _make_job() -> None:
    op.create_table(
        "job",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kind", sa.Text(), server_default="send", nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("trouble", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("started_by", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('send', 'replay')", name=op.f("ck_job_kind")),
        sa.CheckConstraint(
            "state IN ('previewing', 'previewed', 'running', 'cancelling', 'done', 'cancelled', 'failed')",
            name=op.f("ck_job_state"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_job_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_job")),
    )
    op.create_index("ix_job_made", "job", ["tenant_id", "made_at", "id"], unique=False)


def _make_kept_answer() -> None:
    op.create_table(
        "kept_answer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("carried_out", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("answer_status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("made", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_kept_answer_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "holder_id", "idempotency_key", name=op.f("pk_kept_answer")),
    )
    op.create_index("ix_kept_answer_begun_at", "kept_answer", ["tenant_id", "begun_at"], unique=False)


def _make_key() -> None:
    op.create_table(
        "key",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("company_name", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), server_default="full", nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("booking", sa.Text(), server_default="renumbered", nullable=False),
        sa.Column("acceptance", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("kid_acceptance", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("proof", sa.Text(), server_default="proving", nullable=False),
        sa.Column("credits_proven", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("client", sa.Text(), server_default="web", nullable=False),
        sa.Column("open_to_all", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("go_live", sa.Date(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("api_base", sa.Text(), nullable=False),
        sa.Column("files_base", sa.Text(), nullable=True),
        sa.Column("credentials", sa.LargeBinary(), nullable=True),
        sa.Column("access_token", sa.LargeBinary(), nullable=True),
        sa.Column("refresh_token", sa.LargeBinary(), nullable=True),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "booking IN ('series', 'voucher', 'own_number', 'renumbered', 'order', 'draft')",
            name=op.f("ck_key_booking"),
        ),
        sa.CheckConstraint("client IN ('web', 'server', 'lists')", name=op.f("ck_key_client")),
        sa.CheckConstraint("mode IN ('full', 'file')", name=op.f("ck_key_mode")),
        sa.CheckConstraint("proof IN ('proving', 'open', 'stopped')", name=op.f("ck_key_proof")),
        sa.CheckConstraint("sender IN ('recman', 'unimicro')", name=op.f("ck_key_sender")),
        sa.CheckConstraint("state IN ('active', 'paused', 'sign_in_again', 'removed')", name=op.f("ck_key_state")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_key_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_key")),
    )
    op.create_index(
        "uq_key_name", "key", ["tenant_id", "name"], unique=True, postgresql_where=sa.text("state <> 'removed'")
    )
    op.create_index("uq_key_open_to_all", "key", ["tenant_id"], unique=True, postgresql_where=sa.text("open_to_all"))


def _make_lane() -> None:
    op.create_table(
        "lane",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="ready", nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("peeks", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waits_for", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('idle', 'ready', 'leased', 'blocked')", name=op.f("ck_lane_state")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_lane_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_lane")),
        sa.UniqueConstraint("tenant_id", "scope", "record_id", name=op.f("uq_lane_tenant_id_scope_record_id")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_lane_leased", "lane", ["leased_until"], unique=False, postgresql_where=sa.text("state = 'leased'")
    )
    op.create_index(
        "ix_lane_ready", "lane", ["tenant_id", "run_at"], unique=False, postgresql_where=sa.text("state = 'ready'")
    )
    op.create_index(
        "ix_lane_waits",
        "lane",
        ["tenant_id", "waits_for"],
        unique=False,
        postgresql_where=sa.text("waits_for IS NOT NULL"),
    )


def _make_recman_quota() -> None:
    op.create_table(
        "recman_quota",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "by_purpose", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("strikes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unshown", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("pause_fix", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_recman_quota_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "day", name=op.f("pk_recman_quota")),
    )


def _make_recman_record() -> None:
    op.create_table(
        "recman_record",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=True),
        sa.Column("next_hash", sa.LargeBinary(), nullable=True),
        sa.Column("change", sa.Text(), nullable=True),
        sa.Column("seen_sweep", sa.BigInteger(), nullable=False),
        sa.Column("misses", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("change IN ('new', 'changed', 'gone')", name=op.f("ck_recman_record_change")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_recman_record_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "scope", "record_id", name=op.f("pk_recman_record")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_recman_record_change",
        "recman_record",
        ["tenant_id", "scope"],
        unique=False,
        postgresql_where=sa.text("change IS NOT NULL"),
    )


def _make_record_copy() -> None:
    op.create_table(
        "record_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_record_copy_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_record_copy")),
    )
    op.create_index("ix_record_copy_record", "record_copy", ["tenant_id", "scope", "record_id"], unique=False)


def _make_series_order() -> None:
    op.create_table(
        "series_order",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("series_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.Column("prefix", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "departments", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("holder_id", sa.BigInteger(), nullable=True),
        sa.Column("skipping_to", sa.BigInteger(), nullable=True),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name=op.f("ck_series_order_kind")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_series_order_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "company_key", "series_id", name=op.f("pk_series_order")),
    )


def _make_sweep() -> None:
    op.create_table(
        "sweep",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("page", sa.Integer(), server_default="1", nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("trouble", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('sweep', 'backfill')", name=op.f("ck_sweep_kind")),
        sa.CheckConstraint("state IN ('running', 'done', 'failed', 'cancelled')", name=op.f("ck_sweep_state")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_sweep_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sweep")),
    )
    op.create_index("ix_sweep_started", "sweep", ["tenant_id", "started_at", "id"], unique=False)
    op.create_index(
        "uq_sweep_running", "sweep", ["tenant_id", "kind"], unique=True, postgresql_where=sa.text("state = 'running'")
    )


def _make_trial_thing() -> None:
    op.create_table(
        "trial_thing",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.BigInteger(), nullable=True),
        sa.Column("remote_number", sa.Text(), server_default="", nullable=False),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_trial_thing_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "company_key", "reference", name=op.f("pk_trial_thing")),
    )


def _make_used_rate() -> None:
    op.create_table(
        "used_rate",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_used_rate_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "company_key", "currency", name=op.f("pk_used_rate")),
    )


def _make_customer_check() -> None:
    op.create_table(
        "customer_check",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("failure", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.Column("accepted_reason", sa.Text(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'green', 'findings', 'accepted', 'failed')", name=op.f("ck_customer_check_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_customer_check_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_customer_check_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer_check")),
    )
    op.create_index("ix_customer_check_key", "customer_check", ["tenant_id", "key_id", "id"], unique=False)
    op.create_index(
        "uq_customer_check_running",
        "customer_check",
        ["tenant_id", "key_id"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )


def _make_department() -> None:
    op.create_table(
        "department",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("recman_department_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("recman_name", sa.Text(), nullable=True),
        sa.Column("recman_number", sa.Text(), nullable=True),
        sa.Column("entered_name", sa.Text(), nullable=True),
        sa.Column("entered_number", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("former_key_id", sa.Uuid(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "former_key_id"],
            ["key.tenant_id", "key.id"],
            name=op.f("fk_department_tenant_id_former_key_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_department_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_department_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "recman_department_id", name=op.f("pk_department")),
    )
    op.create_index("ix_department_former_key", "department", ["tenant_id", "former_key_id"], unique=False)
    op.create_index("ix_department_key", "department", ["tenant_id", "key_id"], unique=False)


def _make_event() -> None:
    op.create_table(
        "event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("hook_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), server_default="webhook", nullable=False),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("operation", sa.Text(), nullable=True),
        sa.Column("lane_id", sa.BigInteger(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'done', 'superseded', 'ignored', 'held', 'failed', 'recorded')",
            name=op.f("ck_event_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "hook_id"], ["hook.tenant_id", "hook.id"], name=op.f("fk_event_tenant_id_hook_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "lane_id"], ["lane.tenant_id", "lane.id"], name=op.f("fk_event_tenant_id_lane_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_event_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", "received_at", name=op.f("pk_event")),
        postgresql_partition_by="RANGE (received_at)",
    )
    op.create_index("ix_event_all", "event", ["received_at", "id"], unique=False)
    op.create_index(
        "ix_event_job", "event", ["tenant_id", "source"], unique=False, postgresql_where=sa.text("source LIKE 'job:%'")
    )
    op.create_index("ix_event_lane", "event", ["tenant_id", "lane_id", "seq"], unique=False)
    op.create_index("ix_event_received", "event", ["tenant_id", "received_at", "id"], unique=False)
    op.create_index(
        "ix_event_recorded",
        "event",
        ["tenant_id", "hook_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'recorded'"),
    )
    op.create_index(
        "ix_event_unnamed",
        "event",
        ["tenant_id", "received_at"],
        unique=False,
        postgresql_where=sa.text("record_id IS NULL AND scope IS NOT NULL"),
    )


def _make_hook_headers() -> None:
    op.create_table(
        "hook_headers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("hook_id", sa.Uuid(), nullable=False),
        sa.Column("names_hash", sa.LargeBinary(), nullable=False),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "hook_id"], ["hook.tenant_id", "hook.id"], name=op.f("fk_hook_headers_tenant_id_hook_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_hook_headers_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "hook_id", "names_hash", name=op.f("pk_hook_headers")),
    )


def _make_hook_shape() -> None:
    op.create_table(
        "hook_shape",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("hook_id", sa.Uuid(), nullable=False),
        sa.Column("shape_hash", sa.LargeBinary(), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "hook_id"], ["hook.tenant_id", "hook.id"], name=op.f("fk_hook_shape_tenant_id_hook_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_hook_shape_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "hook_id", "shape_hash", name=op.f("pk_hook_shape")),
    )


def _make_key_list() -> None:
    op.create_table(
        "key_list",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rows", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('products', 'vat_codes', 'customers', 'accounts', 'departments', 'projects')",
            name=op.f("ck_key_list_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_key_list_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_key_list_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", "kind", name=op.f("pk_key_list")),
    )


def _make_listed_document() -> None:
    op.create_table(
        "listed_document",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("sweep_id", sa.BigInteger(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("invoice_date", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("gross_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("before_go_live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_listed_document_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sweep_id"],
            ["sweep.tenant_id", "sweep.id"],
            name=op.f("fk_listed_document_tenant_id_sweep_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_listed_document_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "sweep_id", "record_id", name=op.f("pk_listed_document")),
    )


def _make_making() -> None:
    op.create_table(
        "making",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("lane_token", sa.Uuid(), nullable=True),
        sa.Column("touched_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_making_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_making_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", "name", name=op.f("pk_making")),
    )


def _make_proving() -> None:
    op.create_table(
        "proving",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("equal", sa.Integer(), server_default="0", nullable=False),
        sa.Column("equal_credits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("lane_token", sa.Uuid(), nullable=True),
        sa.Column("stopped", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("opened", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_proving_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_proving_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", name=op.f("pk_proving")),
    )


def _make_rule_set() -> None:
    op.create_table(
        "rule_set",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("review_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_rule_set_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_rule_set_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rule_set")),
        sa.UniqueConstraint("tenant_id", "key_id", "version", name=op.f("uq_rule_set_tenant_id_key_id_version")),
    )


def _make_seen_code() -> None:
    op.create_table(
        "seen_code",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("vat_rate", sa.Numeric(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_seen_code_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_seen_code_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", "code", name=op.f("pk_seen_code")),
    )


def _make_shared_org_number() -> None:
    op.create_table(
        "shared_org_number",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("digits", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_shared_org_number_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_shared_org_number_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", "digits", name=op.f("pk_shared_org_number")),
    )


def _make_sign_in() -> None:
    op.create_table(
        "sign_in",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("begun_by", sa.Text(), nullable=False),
        sa.Column("begun", sa.LargeBinary(), nullable=True),
        sa.Column("granted", sa.LargeBinary(), nullable=True),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=True),
        sa.Column("unconfirmed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("person", sa.Text(), server_default="", nullable=False),
        sa.Column("company_key", sa.Text(), nullable=True),
        sa.Column("companies", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_sign_in_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_sign_in_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sign_in")),
    )


def _make_transfer() -> None:
    op.create_table(
        "transfer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("lane_id", sa.BigInteger(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("lane_token", sa.Uuid(), nullable=True),
        sa.Column("look_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("external_reference", sa.Text(), nullable=True),
        sa.Column("guid_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("invoice_date", sa.Date(), nullable=True),
        sa.Column("recman_department_id", sa.Text(), nullable=True),
        sa.Column("recman_company_id", sa.Text(), nullable=True),
        sa.Column("kid", sa.Text(), nullable=True),
        sa.Column("kid_allowed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("customer_name", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("currency", sa.Text(), server_default="", nullable=False),
        sa.Column("net_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("vat_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("gross_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("content_hash", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("claimed", sa.LargeBinary(), nullable=True),
        sa.Column("not_same", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("offer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decided_on", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("booked_as", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("drift_looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remote_id", sa.BigInteger(), nullable=True),
        sa.Column("company_key", sa.Text(), nullable=True),
        sa.Column("remote_type", sa.Text(), nullable=True),
        sa.Column("remote_customer_id", sa.BigInteger(), nullable=True),
        sa.Column("credits_remote_id", sa.BigInteger(), nullable=True),
        sa.Column("has_minus", sa.Boolean(), nullable=True),
        sa.Column(
            "credit_drafts_before",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("unclear", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("unclear_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("guid_spent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("booking", sa.Text(), nullable=True),
        sa.Column("remote_number", sa.Text(), nullable=True),
        sa.Column("remote_net_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("remote_vat_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("remote_gross_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("follow_seconds", sa.Float(), nullable=True),
        sa.Column("issued", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("remote_kid", sa.Text(), nullable=True),
        sa.Column("voucher_id", sa.BigInteger(), nullable=True),
        sa.Column("voucher_number", sa.Text(), nullable=True),
        sa.Column("matched_by", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("decision IN ('send', 'link')", name=op.f("ck_transfer_decision")),
        sa.CheckConstraint(
            "kind IN ('customer', 'project', 'department', 'invoice', 'credit_note')", name=op.f("ck_transfer_kind")
        ),
        sa.CheckConstraint(
            "matched_by IN ('made', 'by_hand', 'number_and_org_number', 'number_and_name', 'org_number', 'name')",
            name=op.f("ck_transfer_matched_by"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'unknown', 'done', 'held', 'failed', 'ignored', 'collected', 'exported')",
            name=op.f("ck_transfer_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_transfer_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "lane_id"], ["lane.tenant_id", "lane.id"], name=op.f("fk_transfer_tenant_id_lane_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_transfer_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_transfer")),
    )
    op.create_index("ix_transfer_all", "transfer", ["created_at", "id"], unique=False)
    op.create_index("ix_transfer_created", "transfer", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_transfer_followed",
        "transfer",
        ["tenant_id", "key_id"],
        unique=False,
        postgresql_where=sa.text("scope = 'invoice' AND booking IN ('order', 'draft') AND issued IS NULL"),
    )
    op.create_index("ix_transfer_key_state", "transfer", ["tenant_id", "key_id", "state"], unique=False)
    op.create_index(
        "ix_transfer_kid", "transfer", ["tenant_id", "kid"], unique=False, postgresql_where=sa.text("kid IS NOT NULL")
    )
    op.create_index("ix_transfer_lane", "transfer", ["tenant_id", "lane_id"], unique=False)
    op.create_index(
        "ix_transfer_remote_number",
        "transfer",
        ["tenant_id", "remote_number"],
        unique=False,
        postgresql_where=sa.text("scope = 'invoice'"),
    )
    op.create_index(
        "ix_transfer_number",
        "transfer",
        ["tenant_id", "number"],
        unique=False,
        postgresql_where=sa.text("scope = 'invoice'"),
    )
    op.create_index(
        "uq_transfer_claimed",
        "transfer",
        ["tenant_id", "claimed"],
        unique=True,
        postgresql_where=sa.text("claimed IS NOT NULL"),
    )
    op.create_index(
        "uq_transfer_invoice",
        "transfer",
        ["tenant_id", "record_id"],
        unique=True,
        postgresql_where=sa.text("scope = 'invoice'"),
    )
    op.create_index(
        "uq_transfer_open_credit",
        "transfer",
        ["tenant_id", "key_id", "credits_remote_id"],
        unique=True,
        postgresql_where=sa.text("booked_at IS NULL AND (unclear OR remote_id IS NOT NULL)"),
    )
    op.create_index(
        "uq_transfer_record",
        "transfer",
        ["tenant_id", "key_id", "scope", "record_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        "uq_transfer_reference",
        "transfer",
        ["tenant_id", "key_id", "external_reference"],
        unique=True,
        postgresql_where=sa.text("external_reference IS NOT NULL"),
    )
    op.create_index(
        "uq_transfer_remote",
        "transfer",
        ["tenant_id", "company_key", "remote_type", "remote_id"],
        unique=True,
        postgresql_where=sa.text("scope = 'invoice' AND remote_id IS NOT NULL"),
    )


def _make_attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("transfer_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("exchanges", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("rules_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("milliseconds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "transfer_id"],
            ["transfer.tenant_id", "transfer.id"],
            name=op.f("fk_attempt_tenant_id_transfer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_attempt_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", "started_at", name=op.f("pk_attempt")),
        postgresql_partition_by="RANGE (started_at)",
    )
    op.create_index("ix_attempt_transfer", "attempt", ["tenant_id", "transfer_id", "n"], unique=False)


def _make_job_document() -> None:
    op.create_table(
        "job_document",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("state_before", sa.Text(), nullable=False),
        sa.Column(
            "reasons_before", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("preview", sa.Text(), nullable=True),
        sa.Column(
            "preview_reasons", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["job.tenant_id", "job.id"],
            name=op.f("fk_job_document_tenant_id_job_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "transfer_id"],
            ["transfer.tenant_id", "transfer.id"],
            name=op.f("fk_job_document_tenant_id_transfer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_job_document_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "job_id", "transfer_id", name=op.f("pk_job_document")),
    )
    op.create_index("ix_job_document_transfer", "job_document", ["tenant_id", "transfer_id"], unique=False)


def _make_export_number() -> None:
    op.create_table(
        "export_number",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("last_number", sa.Integer(), server_default="0", nullable=False),
        sa.Column("trouble", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_export_number_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_export_number_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", name=op.f("pk_export_number")),
    )


def _make_export() -> None:
    op.create_table(
        "export",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("layouts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("manifest", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("drops", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_export_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_export_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_export")),
        sa.UniqueConstraint("tenant_id", "key_id", "number", name=op.f("uq_export_tenant_id_key_id_number")),
    )
    op.create_index("ix_export_made", "export", ["tenant_id", "made_at", "id"], unique=False)


def _make_accepted_layout() -> None:
    op.create_table(
        "accepted_layout",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("word", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_accepted_layout_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_accepted_layout_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", "layout", name=op.f("pk_accepted_layout")),
    )


def _make_filed_document() -> None:
    op.create_table(
        "filed_document",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("credits_record_id", sa.Text(), nullable=True),
        sa.Column("gross_amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("collected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["key.tenant_id", "key.id"], name=op.f("fk_filed_document_tenant_id_key_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "transfer_id"],
            ["transfer.tenant_id", "transfer.id"],
            name=op.f("fk_filed_document_tenant_id_transfer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_filed_document_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "transfer_id", name=op.f("pk_filed_document")),
    )
    op.create_index("ix_filed_document_credits", "filed_document", ["tenant_id", "credits_record_id"], unique=False)


def _make_export_file() -> None:
    op.create_table(
        "export_file",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("drop_begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "export_id"],
            ["export.tenant_id", "export.id"],
            name=op.f("fk_export_file_tenant_id_export_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_export_file_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "export_id", "name", name=op.f("pk_export_file")),
    )
    op.create_index(
        "ix_export_file_undropped",
        "export_file",
        ["tenant_id", "export_id"],
        unique=False,
        postgresql_where=sa.text("dropped_at IS NULL"),
    )


def _make_export_document() -> None:
    op.create_table(
        "export_document",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default="in_file", nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("said_by", sa.Text(), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('in_file', 'taken', 'not_taken', 'freed')", name=op.f("ck_export_document_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "export_id"],
            ["export.tenant_id", "export.id"],
            name=op.f("fk_export_document_tenant_id_export_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "transfer_id"],
            ["transfer.tenant_id", "transfer.id"],
            name=op.f("fk_export_document_tenant_id_transfer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_export_document_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "export_id", "transfer_id", name=op.f("pk_export_document")),
    )
    op.create_index(
        "uq_export_document_once",
        "export_document",
        ["tenant_id", "transfer_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'freed'"),
    )
