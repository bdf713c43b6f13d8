-- What an application calls from its statements to refuse a request.
--
--     SELECT scale.fail(402, 'Payment required', '{"balance": 0}');
--     UPDATE … RETURNING id, scale.require(author = :me, 403);
--
-- A refusal is an error: the transaction is gone.  It travels as SQLSTATE
-- HTnnn with the title as MESSAGE and the members, jsonb as text, as DETAIL.
-- Both functions return void, and columns of type void are left out of the
-- answer.  An absent title is sent empty: the answer has the status's own.
--
-- This file may be applied again at any time.

CREATE SCHEMA IF NOT EXISTS scale;

GRANT USAGE ON SCHEMA scale TO PUBLIC;


CREATE OR REPLACE FUNCTION scale.fail(
    status   integer,
    title    text,
    members  jsonb DEFAULT '{}'
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
BEGIN
    IF status IS NULL OR status NOT BETWEEN 400 AND 599 THEN
        RAISE EXCEPTION 'scale: status % is not an error status',
                        coalesce(status::text, 'NULL')
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'A refusal has a status of 400 to 599.';
    END IF;

    IF jsonb_typeof(members) <> 'object' THEN
        RAISE EXCEPTION 'scale: members of a refusal are a JSON object, not %',
                        jsonb_typeof(members)
              USING ERRCODE = 'invalid_parameter_value';
    END IF;

    RAISE EXCEPTION USING
          ERRCODE = 'HT' || status,
          MESSAGE = coalesce(title, ''),
          DETAIL = coalesce(members, '{}')::text;
END
$$;


-- NULL is not true: a comparison with an absent value refuses.  The status is
-- checked first, so that a wrong one shows before the first refusal.

CREATE OR REPLACE FUNCTION scale.require(
    condition  boolean,
    status     integer,
    title      text DEFAULT NULL,
    members    jsonb DEFAULT '{}'
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
BEGIN
    IF condition AND status BETWEEN 400 AND 599 THEN
        RETURN;
    END IF;

    PERFORM scale.fail(status, title, members);
END
$$;


-- The bucket of a shard's key, 0 to 1023, as scale_shard_key has it: of one
-- value its text, such as scale.bucket(id::text), of several in their order
-- scale.bucket(tenant::text, id::text).  The database's encoding is UTF8.

CREATE OR REPLACE FUNCTION scale.bucket(VARIADIC key text[]) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ('x' || substr(md5(CASE
               WHEN cardinality(key) = 1 THEN key[1]
               ELSE (SELECT string_agg(replace(replace(part, '%', '%25'),
                                               ':', '%3A'),
                                       ':' ORDER BY n)
                       FROM unnest(key) WITH ORDINALITY AS parts (part, n))
           END), 1, 8))::bit(32)::integer & 1023
$$;


-- The timeline a standby follows.  Only members of pg_monitor see the WAL
-- receiver; it is gone while the upstream is, and then the control file knows.
-- Apply this file as a superuser, or grant pg_read_all_stats to its owner.

CREATE OR REPLACE FUNCTION scale.timeline() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(
               (SELECT received_tli FROM pg_stat_wal_receiver),
               (SELECT greatest(c.timeline_id, r.min_recovery_end_timeline)
                  FROM pg_control_checkpoint() c, pg_control_recovery() r)
           )::bigint
$$;
