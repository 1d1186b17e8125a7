"""A past of a year and more, as a tenant has one: documents, hints, attempts and changes, all made by the server."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.platform.months import list_tables_by_month

DAYS = 400

_KEYS = """
    INSERT INTO key (id, tenant_id, name, company_key, company_name, go_live, api_base)
    SELECT gen_random_uuid(), :tenant, name, name, name, '2020-01-01', 'http://127.0.0.1'
    FROM unnest(ARRAY['a often', 'b seldom']) AS name
"""
# Thirty of each rare thing, the oldest ones.
_TRANSFERS = """
    INSERT INTO transfer (tenant_id, key_id, scope, kind, record_id, state, number, invoice_date, created_at,
        updated_at, recman_department_id, recman_company_id, customer_name, currency, gross_amount, booking, booked_at,
        company_key, remote_type, remote_id, remote_number, kid, lane_id, reasons, warnings)
    SELECT :tenant, CASE WHEN g BETWEEN 271 AND 300 THEN seldom.id ELSE often.id END,
        CASE WHEN g BETWEEN 181 AND 210 THEN 'company' ELSE 'invoice' END,
        CASE WHEN g BETWEEN 151 AND 180 THEN 'credit_note'
             WHEN g BETWEEN 181 AND 210 THEN 'customer' ELSE 'invoice' END,
        g::text,
        CASE WHEN g <= 30 THEN 'held' WHEN g <= 60 THEN 'failed'
             WHEN g <= 90 THEN 'waiting' WHEN g <= 120 THEN 'ignored'
             WHEN g BETWEEN 361 AND 390 THEN 'held' WHEN g BETWEEN 391 AND 420 THEN 'unknown'
             WHEN g BETWEEN 421 AND 450 THEN 'sending' ELSE 'done' END,
        (900000000 + g)::text, (at.at)::date, at.at, at.at,
        CASE WHEN g BETWEEN 241 AND 270 THEN 'rare' ELSE (g % 10)::text END, (g % 50)::text,
        CASE WHEN g BETWEEN 211 AND 240 THEN 'Sjelden AS' ELSE 'Kunde ' || g % 50 || ' AS' END, 'NOK', 1250,
        CASE WHEN g BETWEEN 301 AND 330 THEN 'draft' WHEN g BETWEEN 331 AND 360 THEN 'order' ELSE 'renumbered' END,
        CASE WHEN g > 450 THEN at.at END, 'company', 'invoice', g,
        CASE WHEN g NOT BETWEEN 301 AND 360 THEN (700000000 + g)::text END, g::text, g,
        CASE WHEN g <= 60 THEN '[{"code": "product_unknown", "cause": "7 is not in Unimicro", "fix": "Create it"}]'
             WHEN g BETWEEN 361 AND 390 THEN '[{"code": "before_go_live", "cause": "It is old", "fix": "Choose"}]'
             ELSE '[]' END::jsonb,
        CASE WHEN g BETWEEN 121 AND 150 THEN '[{"code": "kid_invalid", "cause": "No KID", "fix": "None"}]' ELSE '[]'
             END::jsonb
    FROM generate_series(1, :rows) AS g,
         LATERAL (SELECT now() - make_interval(secs => 86400.0 * :days * (:rows - g) / :rows) AS at) AS at,
         (SELECT id FROM key WHERE name = 'a often') AS often, (SELECT id FROM key WHERE name = 'b seldom') AS seldom
"""
# No trigger is fired for what the bench makes.
_NAMES = """
    INSERT INTO invoiced_name (tenant_id, name)
    SELECT DISTINCT tenant_id, customer_name FROM transfer WHERE scope = 'invoice' AND tenant_id = :tenant
"""
_LANES = """
    INSERT INTO lane (tenant_id, scope, record_id, state, seq, seen_seq, run_at)
    SELECT :tenant, 'invoice', g::text, CASE WHEN g <= 100 THEN 'ready' ELSE 'idle' END, 3,
           CASE WHEN g <= 100 THEN 2 ELSE 3 END, now() - make_interval(secs => 86400.0 * :days * (:rows - g) / :rows)
    FROM generate_series(1, :rows) AS g
"""
_EVENTS = """
    INSERT INTO event (tenant_id, scope, record_id, operation, lane_id, seq, state, received_at, ended_at)
    SELECT :tenant, 'invoice', g::text, 'update', g, n,
           CASE WHEN g <= 30 AND n = 3 THEN 'waiting' WHEN g <= 60 THEN 'ignored' WHEN g <= 90 THEN 'failed'
                WHEN g <= 120 THEN 'recorded' ELSE 'done' END, at.at, CASE WHEN g > 30 OR n < 3 THEN at.at END
    FROM generate_series(1, :rows) AS g, generate_series(1, 3) AS n,
         LATERAL (SELECT now() - make_interval(secs => 86400.0 * :days * (:rows - g) / :rows) AS at) AS at
"""
_ATTEMPTS = """
    INSERT INTO attempt (tenant_id, transfer_id, n, step, started_at, outcome)
    SELECT :tenant, id, n, 'issue', created_at, 'done' FROM transfer, generate_series(1, 3) AS n
"""
# A job about a few of the oldest.
_JOB = """
    INSERT INTO job (tenant_id, id, wanted, total, made_by) VALUES (:tenant, gen_random_uuid(), '{}', 30, 'Kari')
"""
_JOB_DOCUMENTS = """
    INSERT INTO job_document (tenant_id, job_id, transfer_id, event_id, state_before)
    SELECT :tenant, (SELECT id FROM job), transfer.id, event.id, 'held' FROM transfer
    JOIN event ON event.lane_id = transfer.lane_id AND event.seq = 3 WHERE transfer.lane_id <= 30
"""
_CHANGES = """
    INSERT INTO audit (tenant_id, at, actor, action, subject, previous_hash, hash)
    SELECT :tenant, now() - make_interval(secs => 86400.0 * :days * (:rows - g) / :rows), 'Kari', 'transfer.retry',
           'transfer:' || g, '', int8send(g) FROM generate_series(1, :rows) AS g
"""
_STATEMENTS = (_KEYS, _TRANSFERS, _NAMES, _LANES, _EVENTS, _ATTEMPTS, _JOB, _JOB_DOCUMENTS, _CHANGES)
# Those of partitions go and come with their table's own.
_INDEXES = """
    SELECT i.oid::regclass::text, pg_get_indexdef(i.oid) FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    WHERE t.relname IN ('transfer', 'lane', 'event', 'attempt', 'audit') AND NOT i.relispartition
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.oid)
"""


async def make_past_months(engine: AsyncEngine) -> None:
    """The months that a service which has run for so long has."""
    async with engine.begin() as connection:
        for table in list_tables_by_month():
            for ago in range(1, DAYS // 28 + 1):
                await _make_month(connection, table, ago)


async def _make_month(connection: AsyncConnection, table: str, ago: int) -> None:
    month = "date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => {})"
    begins, ends = month.format(ago), month.format(ago - 1)
    await connection.exec_driver_sql(f"""
        DO $$ BEGIN
            EXECUTE format('CREATE TABLE %I PARTITION OF {table} FOR VALUES FROM (%L) TO (%L)',
                '{table}_' || to_char({begins}, 'YYYY_MM'), ({begins}) AT TIME ZONE 'UTC', ({ends}) AT TIME ZONE 'UTC');
        END $$
    """)


async def fill(engine: AsyncEngine, tenant_id: UUID, rows: int) -> None:
    """So many documents, three hints and attempts of each, and a change of each; indexes are made when all is there."""
    values = {"tenant": tenant_id, "rows": rows, "days": DAYS}
    async with engine.begin() as connection:
        for setting in ("session_replication_role = replica", "maintenance_work_mem = '512MB'", "work_mem = '64MB'"):
            await connection.exec_driver_sql(f"SET LOCAL {setting}")
        indexes = (await connection.execute(text(_INDEXES))).all()
        for name, _ in indexes:
            await connection.exec_driver_sql(f"DROP INDEX {name}")
        for statement in _STATEMENTS:
            named = {name: value for name, value in values.items() if f":{name}" in statement}
            await connection.execute(text(statement), named)
        for _, definition in indexes:
            # Of a table by month the definition is that of its head alone.
            await connection.exec_driver_sql(definition.replace(" ON ONLY ", " ON "))
    vacuum = await engine.connect()
    await (await vacuum.execution_options(isolation_level="AUTOCOMMIT")).exec_driver_sql("VACUUM ANALYZE")
    await vacuum.close()
