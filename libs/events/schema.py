"""The tables of the event store, in PostgreSQL and in SQLite.

The order of the log is safe because positions are drawn under one lock that is held until the commit: whoever reads
position 7 has everything below it. An identity column alone loses events: transactions commit out of order.
"""

APPEND_LOCK = 0x636F6E636F7264  # "concord"; the advisory lock under which positions are drawn
GROWN_CHANNEL = "events_grown"  # NOTIFY with the new head

SQLITE_SCHEMA_VERSION = 1  # PRAGMA user_version of an events file

_BESIDE = (
    """
    CREATE TABLE reservations (
        scope text NOT NULL,
        key text NOT NULL,
        holder text NOT NULL,
        PRIMARY KEY (scope, key)
    )
    """,
    """
    CREATE TABLE idempotency (
        principal text NOT NULL,
        route text NOT NULL,
        key text NOT NULL,
        payload_hash text NOT NULL,
        since {time} NOT NULL,
        status integer, -- NULL while the first request runs
        body {bytes},
        headers text,
        position bigint,
        PRIMARY KEY (principal, route, key)
    )
    """,
    "CREATE INDEX idempotency_since ON idempotency (since)",
    """
    CREATE TABLE timers (
        key text PRIMARY KEY,
        due_at {time} NOT NULL,
        kind text NOT NULL,
        payload {bytes} NOT NULL
    )
    """,
    "CREATE INDEX timers_due_at ON timers (due_at)",
    """
    CREATE TABLE leases (
        name text PRIMARY KEY,
        holder text NOT NULL,
        fence bigint NOT NULL,
        until {time} NOT NULL
    )
    """,
    """
    CREATE TABLE log (
        epoch text NOT NULL, -- a log that was restored from a backup starts another
        relayed bigint NOT NULL DEFAULT 0 -- events up to this position were published
    )
    """,
)

SQLITE = (
    """
    CREATE TABLE events (
        position integer PRIMARY KEY,
        stream text NOT NULL,
        version integer NOT NULL,
        type text NOT NULL,
        event_id blob NOT NULL UNIQUE,
        occurred_at integer NOT NULL, -- microseconds since 1970, UTC
        recorded_at integer NOT NULL,
        data blob NOT NULL,
        metadata blob NOT NULL,
        UNIQUE (stream, version)
    )
    """,
    """
    CREATE TRIGGER events_stay BEFORE UPDATE ON events
    BEGIN SELECT raise(ABORT, 'events are never changed'); END
    """,
    """
    CREATE TRIGGER events_remain BEFORE DELETE ON events
    BEGIN SELECT raise(ABORT, 'events are never removed'); END
    """,
    *(table.format(time="integer", bytes="blob") for table in _BESIDE),
)

_APPEND_BATCH = """
CREATE OR REPLACE FUNCTION append_batch(
    write_request int[], write_stream text[], write_expected int[],
    event_request int[], event_stream text[], event_version int[], event_type text[], event_ids uuid[],
    occurred timestamptz[], recorded timestamptz[], event_data bytea[], event_metadata bytea[],
    effects jsonb,
    OUT last bigint, OUT newest timestamptz, OUT refused jsonb
)
LANGUAGE plpgsql
SET lock_timeout = '1s'
-- The plans are kept, and the first were made when the tables were empty: each look-up is one of an index, by LIMIT 1.
SET enable_seqscan = off
AS $$
DECLARE
    gone int[]; -- requests that write nothing
BEGIN
    PERFORM pg_advisory_xact_lock({lock});
    -- From here on each statement sees what was committed while this one waited.
    SELECT e.position, e.recorded_at INTO last, newest FROM events e ORDER BY e.position DESC LIMIT 1;
    last := coalesce(last, 0);

    SELECT jsonb_agg(r.reason), array_agg(r.request) INTO refused, gone
    FROM (
        SELECT w.request, jsonb_build_array(w.request, 'duplicate', k.position, k.recorded_at) AS reason
        FROM unnest(event_request, event_ids) AS w(request, id)
        CROSS JOIN LATERAL (SELECT e.position, e.recorded_at FROM events e WHERE e.event_id = w.id LIMIT 1) k
        UNION ALL
        SELECT w.request, jsonb_build_array(w.request, 'conflict', w.stream, w.expected, s.actual)
        FROM unnest(write_request, write_stream, write_expected) AS w(request, stream, expected)
        CROSS JOIN LATERAL (SELECT coalesce(max(e.version), 0) AS actual FROM events e WHERE e.stream = w.stream) s
        WHERE s.actual <> w.expected
        UNION ALL
        SELECT w.request, jsonb_build_array(w.request, 'reserved', n.scope, n.key, h.holder)
        FROM jsonb_to_recordset(effects) AS w(request int, reserve jsonb)
        CROSS JOIN LATERAL jsonb_to_recordset(w.reserve) AS n(scope text, key text, holder text)
        CROSS JOIN LATERAL (SELECT v.holder FROM reservations v WHERE v.scope = n.scope AND v.key = n.key LIMIT 1) h
        WHERE h.holder <> n.holder
        UNION ALL
        SELECT w.request, jsonb_build_array(w.request, 'answered')
        FROM jsonb_to_recordset(effects) AS w(request int, key jsonb)
        CROSS JOIN LATERAL (
            SELECT i.status FROM idempotency i
            WHERE i.principal = w.key->>'principal' AND i.route = w.key->>'route' AND i.key = w.key->>'key' LIMIT 1
        ) k
        WHERE k.status IS NOT NULL AND w.request = ANY (event_request)
    ) r;
    gone := coalesce(gone, '{{}}');

    WITH inserted AS (
        INSERT INTO events (stream, version, type, event_id, occurred_at, recorded_at, data, metadata)
        SELECT n.stream, n.version, n.type, n.id, n.occurred_at, greatest(n.recorded_at, newest), n.data, n.metadata
        FROM unnest(event_request, event_stream, event_version, event_type, event_ids, occurred, recorded,
                    event_data, event_metadata)
             AS n(request, stream, version, type, id, occurred_at, recorded_at, data, metadata)
        WHERE n.request <> ALL (gone)
        RETURNING position
    )
    SELECT coalesce(max(position), last) INTO last FROM inserted;

    IF effects IS NOT NULL THEN
        PERFORM apply_effects(w, last - (SELECT count(*) FROM unnest(event_request) AS later(request)
                                         WHERE later.request > (w->>'request')::int AND later.request <> ALL (gone)))
        FROM jsonb_array_elements(effects) w
        WHERE (w->>'request')::int <> ALL (gone);
    END IF;
    IF cardinality(event_request) > 0 THEN
        PERFORM pg_notify('{channel}', last::text);
    END IF;
END $$
"""

_APPLY_EFFECTS = """
CREATE OR REPLACE FUNCTION apply_effects(effect jsonb, reached bigint) RETURNS void
LANGUAGE sql AS $$
    DELETE FROM reservations WHERE ctid = ANY (ARRAY(
        SELECT h.ctid FROM jsonb_to_recordset(effect->'release') AS r(scope text, key text, holder text)
        CROSS JOIN LATERAL (SELECT v.ctid FROM reservations v
                            WHERE v.scope = r.scope AND v.key = r.key AND v.holder = r.holder LIMIT 1) h
    ));

    INSERT INTO reservations
    SELECT r.scope, r.key, r.holder FROM jsonb_to_recordset(effect->'reserve') AS r(scope text, key text, holder text)
    ON CONFLICT DO NOTHING;

    DELETE FROM timers WHERE key = ANY (ARRAY(SELECT jsonb_array_elements_text(effect->'cancel')));

    INSERT INTO timers
    SELECT t.key, t.due_at, t.kind, decode(t.payload, 'base64')
    FROM jsonb_to_recordset(effect->'schedule') AS t(key text, due_at timestamptz, kind text, payload text)
    ON CONFLICT (key) DO UPDATE SET due_at = excluded.due_at, kind = excluded.kind, payload = excluded.payload;

    INSERT INTO idempotency AS i
    SELECT k.principal, k.route, k.key, k.payload_hash, (effect->>'since')::timestamptz,
           a.status, decode(a.body, 'base64'), a.headers, reached
    FROM jsonb_to_record(effect->'key') AS k(principal text, route text, key text, payload_hash text),
         jsonb_to_record(effect->'answer') AS a(status int, body text, headers text)
    WHERE k.key IS NOT NULL AND a.status IS NOT NULL
    ON CONFLICT (principal, route, key) DO UPDATE
    SET payload_hash = excluded.payload_hash, since = excluded.since, status = excluded.status,
        body = excluded.body, headers = excluded.headers, position = excluded.position
    WHERE i.status IS NULL;
$$
"""

APPENDING = _APPLY_EFFECTS, _APPEND_BATCH.format(lock=APPEND_LOCK, channel=GROWN_CHANNEL)

POSTGRES = (
    """
    CREATE TABLE events (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        stream text COLLATE "C" NOT NULL,
        version integer NOT NULL,
        type text NOT NULL,
        event_id uuid NOT NULL UNIQUE,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        data bytea NOT NULL,
        metadata bytea NOT NULL,
        UNIQUE (stream, version)
    )
    """,
    """
    CREATE VIEW readable_events AS
    SELECT position, stream, version, type, event_id, occurred_at, recorded_at,
           convert_from(data, 'UTF8')::json AS data, convert_from(metadata, 'UTF8')::json AS metadata
    FROM events
    """,
    f"""
    CREATE FUNCTION keep_order() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock({APPEND_LOCK}); RETURN NULL; END $$
    """,
    # Before the first position is drawn, whoever inserts: nothing slips in below the readers.
    "CREATE TRIGGER events_in_order BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION keep_order()",
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'events are never changed or removed' USING ERRCODE = 'restrict_violation'; END $$
    """,
    """
    CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    *(table.format(time="timestamptz", bytes="bytea") for table in _BESIDE),
    # Epochs begin with the time, as a UUIDv7 does: whoever compares two knows which log is the older one.
    """
    INSERT INTO log (epoch)
    SELECT overlay(gen_random_uuid()::text PLACING overlay(milliseconds PLACING '-' FROM 9 FOR 0) FROM 1 FOR 13)
    FROM lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') AS milliseconds
    """,
    *APPENDING,
)


def grants(role: str) -> tuple[str, ...]:
    """What the application's *role* may do: use everything, own its read models, and never change an event."""
    name = '"' + role.replace('"', '""') + '"'
    return (
        f"GRANT USAGE, CREATE ON SCHEMA public TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"REVOKE UPDATE, DELETE, TRUNCATE ON events FROM {name}",
    )
