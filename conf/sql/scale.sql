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


-- RFC 4648, section 5, without padding.

CREATE OR REPLACE FUNCTION scale.base64url(data bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT translate(encode(data, 'base64'), E'+/=\n', '-_')
$$;


-- A JSON Web Token (RFC 7519) of HS256 that expires in "ttl": what scale_jwt
-- takes with "alg HS256".  The secret is a text of 32 bytes or more, such as
-- encode(gen_random_bytes(32), 'base64').  The extension pgcrypto is needed, in
-- a schema of the caller's search_path.
--
-- Whoever has the secret is everybody.  Keep it in a table that one role owns
-- and no other may read, and sign in a function of that role:
--
--     CREATE FUNCTION login(name text, password text) RETURNS text
--     LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
--         SELECT scale.jwt_sign(jsonb_build_object('sub', a.id::text),
--                               s.value, '15 min')
--           FROM accounts a, secrets s
--          WHERE a.name = login.name AND s.name = 'jwt'
--            AND a.password = crypt(login.password, a.password)
--     $$;

CREATE OR REPLACE FUNCTION scale.jwt_sign(
    payload  jsonb,
    secret   text,
    ttl      interval
) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
    issued  bigint := floor(extract(epoch FROM now()));
    signed  text;
BEGIN
    IF jsonb_typeof(payload) <> 'object' THEN
        RAISE EXCEPTION 'scale: the payload of a token is a JSON object, not %',
                        jsonb_typeof(payload)
              USING ERRCODE = 'invalid_parameter_value';
    END IF;

    IF octet_length(secret) < 32 THEN
        RAISE EXCEPTION 'scale: a secret of less than 32 bytes signs no token'
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Make one: encode(gen_random_bytes(32), ''base64'')';
    END IF;

    signed := scale.base64url('{"alg":"HS256","typ":"JWT"}') || '.'
              || scale.base64url(convert_to((payload || jsonb_build_object(
                     'iat', issued,
                     'exp', issued + extract(epoch FROM ttl)::bigint
                 ))::text, 'UTF8'));

    RETURN signed || '.'
           || scale.base64url(hmac(signed::bytea, convert_to(secret, 'UTF8'),
                                   'sha256'));
END
$$;


-- The file for scale_jwt's jwks_file, of the secret that signs and of those
-- before it:
--
--     psql -Atc "SELECT scale.jwt_jwks(value) FROM secrets
--                 WHERE name = 'jwt'" app > jwks.json

CREATE OR REPLACE FUNCTION scale.jwt_jwks(VARIADIC secrets text[])
RETURNS jsonb
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    SELECT jsonb_build_object('keys', jsonb_agg(jsonb_build_object(
               'kty', 'oct', 'alg', 'HS256',
               'k', scale.base64url(convert_to(secret, 'UTF8')))))
      FROM unnest(secrets) secret
$$;


-- The answers of writes that came with an Idempotency-Key: scale_idempotency.
-- "key" and "request" are hashes.  begin() is the first statement of the
-- write's transaction and end() the last one, so that there is an answer if
-- and only if there is the write.  Who comes second waits at begin() for the
-- first one's end, at most "patience" ms, and gets its answer as an error:
--
--     SC001    done before, DETAIL is the answer in hexadecimal digits
--     SC002    the key belongs to another request
--
-- Each twentieth new key removes up to 50 that have expired.

CREATE TABLE IF NOT EXISTS scale.idempotency (
    key      text PRIMARY KEY,
    request  text NOT NULL,
    answer   bytea,
    expires  timestamptz NOT NULL
);

CREATE INDEX IF NOT EXISTS idempotency_expires ON scale.idempotency (expires);


CREATE OR REPLACE FUNCTION scale.idempotency_begin(
    key      text,
    request  text,
    ttl      integer
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept  scale.idempotency;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(key, 7121)) THEN
        RAISE EXCEPTION 'scale: under way' USING ERRCODE = 'SC003';
    END IF;

    INSERT INTO scale.idempotency AS i
    VALUES (idempotency_begin.key, idempotency_begin.request, NULL,
            now() + make_interval(secs => ttl))
    ON CONFLICT ON CONSTRAINT idempotency_pkey DO UPDATE
       SET request = excluded.request, answer = NULL,
           expires = excluded.expires
     WHERE i.expires < now();

    IF NOT FOUND THEN
        SELECT i.* INTO STRICT kept FROM scale.idempotency AS i
         WHERE i.key = idempotency_begin.key;

        IF kept.request <> idempotency_begin.request THEN
            RAISE EXCEPTION 'scale: the key belongs to another request'
                  USING ERRCODE = 'SC002';
        END IF;

        RAISE EXCEPTION 'scale: done before'
              USING ERRCODE = 'SC001', DETAIL = encode(kept.answer, 'hex');
    END IF;

    IF random() < 0.05 THEN
        DELETE FROM scale.idempotency AS i
         WHERE i.key IN (SELECT e.key FROM scale.idempotency AS e
                          WHERE e.expires < now() ORDER BY e.expires LIMIT 50
                            FOR UPDATE SKIP LOCKED);
    END IF;
END
$$;


CREATE OR REPLACE FUNCTION scale.idempotency_end(key text, answer bytea)
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    UPDATE scale.idempotency AS i SET answer = idempotency_end.answer
     WHERE i.key = idempotency_end.key
$$;


-- The sessions of a scale_session with "store database=".  "key" is the name
-- and a hash of the id, "owner" the name and a hash of the user: who reads the
-- table can neither use a session nor say whose it is.  A session starts and
-- ends in the transaction of the statement that says so.  It is over "ttl"
-- after it began, and "idle" after it was used last: "seen" is that time, moved
-- each eighth of "idle" at most, so that few requests write.
--
--     DELETE FROM scale.session;          -- everybody is out
--
-- after which memcached has to be restarted, which answers from its copies.
-- Each twentieth start removes up to 50 that have expired.

CREATE TABLE IF NOT EXISTS scale.session (
    key      text PRIMARY KEY,
    owner    text NOT NULL,
    value    json NOT NULL,
    created  timestamptz NOT NULL DEFAULT now(),
    expires  timestamptz NOT NULL,
    seen     timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS session_owner ON scale.session (owner);
CREATE INDEX IF NOT EXISTS session_expires ON scale.session (expires);


-- ends the session "one", and all of the owner "everyone"; either may be NULL

CREATE OR REPLACE FUNCTION scale.session_end(one text, everyone text)
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM scale.session AS s
     WHERE s.key = session_end.one OR s.owner = session_end.everyone
$$;


CREATE OR REPLACE FUNCTION scale.session_start(
    key       text,
    owner     text,
    value     json,
    ttl       integer,
    one       text,
    everyone  text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM scale.session_end(one, everyone);

    INSERT INTO scale.session (key, owner, value, expires)
    VALUES (session_start.key, session_start.owner, session_start.value,
            now() + make_interval(secs => ttl));

    IF random() < 0.05 THEN
        DELETE FROM scale.session AS s
         WHERE s.key IN (SELECT e.key FROM scale.session AS e
                          WHERE e.expires < now() ORDER BY e.expires LIMIT 50
                            FOR UPDATE SKIP LOCKED);
    END IF;
END
$$;


CREATE OR REPLACE FUNCTION scale.session_read(
    key      text,
    idle     integer,
    OUT created  bigint,
    OUT value    json,
    OUT due      boolean                -- "seen" is to be moved
) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT floor(extract(epoch FROM s.created))::bigint, s.value,
           s.seen < now() - make_interval(secs => idle / 8.0)
      FROM scale.session AS s
     WHERE s.key = session_read.key
       AND s.expires > now()
       AND s.seen > now() - make_interval(secs => idle)
$$;


CREATE OR REPLACE FUNCTION scale.session_seen(key text, idle integer)
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    UPDATE scale.session AS s SET seen = now()
     WHERE s.key = session_seen.key
       AND s.seen < now() - make_interval(secs => idle / 8.0)
$$;


-- The ring of a scale_cache with "ring database=": which memcached it has, and
-- what all web nodes agree on about them.
--
--     SELECT scale.ring_add('hot', '10.0.0.4:11211');
--     SELECT scale.ring_reweight('hot', '10.0.0.4:11211', 2);
--     SELECT scale.ring_remove('hot', '10.0.0.4:11211');
--
-- Changes made in one transaction are one change.  A web node that has not
-- heard of it within 3 s stops using the cache, and nobody uses the new ring
-- before.  The tables are changed by the functions only: the role of the web
-- nodes may renew, eject and readmit, but not write addresses.
--
-- A stamp is random and never comes back.  It is part of the keys' prefix:
-- what a memcached holds from before is unreachable under a new one.

CREATE TABLE IF NOT EXISTS scale.ring (
    cache    text NOT NULL,
    addr     text NOT NULL,
    weight   integer NOT NULL CHECK (weight BETWEEN 1 AND 1000),
    gutter   boolean NOT NULL,
    state    text NOT NULL CHECK (state IN ('in', 'out')),
    stamp    bigint NOT NULL,
    by_node  bigint,                    -- the web node that ejected it
    since    timestamptz NOT NULL,
    PRIMARY KEY (cache, addr)
);

CREATE TABLE IF NOT EXISTS scale.ring_epoch (
    cache     text PRIMARY KEY,
    state     text NOT NULL CHECK (state IN ('on', 'off')),
    stamp     bigint NOT NULL,
    timeline  bigint NOT NULL,
    ejected   timestamptz,              -- when the last one was
    by_node   bigint,                   -- the web node that put it off
    since     timestamptz NOT NULL
);

-- the rings since the epoch began: a key that stayed where it was stays warm

CREATE TABLE IF NOT EXISTS scale.ring_version (
    cache    text NOT NULL,
    number   bigint GENERATED ALWAYS AS IDENTITY,
    stamp    bigint NOT NULL,
    members  text NOT NULL,             -- address=weight address=weight ...
    PRIMARY KEY (cache, number)
);

CREATE TABLE IF NOT EXISTS scale.ring_lease (
    cache    text NOT NULL,
    node     bigint NOT NULL,
    name     text NOT NULL,
    renewed  timestamptz NOT NULL,
    PRIMARY KEY (cache, node)
) WITH (fillfactor = 50);


CREATE OR REPLACE FUNCTION scale.ring_stamp() RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    SELECT ('x' || left(u, 8) || right(u, 8))::bit(64)::bigint
           & 4611686018427387903
      FROM (SELECT gen_random_uuid()::text) AS random (u)
$$;


CREATE OR REPLACE FUNCTION scale.ring_timeline() RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)
           ::bigint
$$;


-- one change at a time

CREATE OR REPLACE FUNCTION scale.ring_lock(cache text)
RETURNS scale.ring_epoch
LANGUAGE plpgsql AS $$
DECLARE
    epoch  scale.ring_epoch;
BEGIN
    SELECT * INTO epoch FROM scale.ring_epoch AS e
     WHERE e.cache = ring_lock.cache FOR UPDATE;

    RETURN epoch;
END
$$;


-- The members have changed.  Beyond 8 rings, or 64 addresses in them, a new
-- epoch begins: all is cold.

CREATE OR REPLACE FUNCTION scale.ring_place(cache text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    listed  text;
BEGIN
    SELECT coalesce(string_agg(r.addr || '=' || r.weight, ' '
                               ORDER BY r.addr), '')
      INTO listed FROM scale.ring AS r
     WHERE r.cache = ring_place.cache AND NOT r.gutter;

    -- nobody has seen what this transaction made

    UPDATE scale.ring_version AS v SET members = listed
     WHERE v.cache = ring_place.cache
       AND v.xmin = pg_current_xact_id()::xid;

    IF NOT FOUND THEN
        INSERT INTO scale.ring_version (cache, stamp, members)
        VALUES (ring_place.cache, scale.ring_stamp(), listed);
    END IF;

    IF (SELECT count(*) FROM scale.ring_version AS v
         WHERE v.cache = ring_place.cache) > 8
       OR (SELECT count(*)
             FROM (SELECT split_part(m, '=', 1)
                     FROM scale.ring_version AS v,
                          unnest(string_to_array(v.members, ' ')) AS m
                    WHERE v.cache = ring_place.cache
                    UNION
                   SELECT r.addr FROM scale.ring AS r
                    WHERE r.cache = ring_place.cache) AS a) > 64
    THEN
        DELETE FROM scale.ring_version AS v
         WHERE v.cache = ring_place.cache
           AND v.number < (SELECT max(l.number) FROM scale.ring_version AS l
                            WHERE l.cache = ring_place.cache);

        UPDATE scale.ring_epoch AS e SET stamp = scale.ring_stamp()
         WHERE e.cache = ring_place.cache;
    END IF;
END
$$;


-- The gutter's keys have moved: its ring has no versions, all of it is cold.

CREATE OR REPLACE FUNCTION scale.ring_changed(cache text, gutter boolean)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF gutter THEN
        UPDATE scale.ring AS r SET stamp = scale.ring_stamp()
         WHERE r.cache = ring_changed.cache AND r.gutter;

    ELSE
        PERFORM scale.ring_place(cache);
    END IF;
END
$$;


CREATE OR REPLACE FUNCTION scale.ring_add(
    cache   text,
    addr    text,
    weight  integer DEFAULT 1,
    gutter  boolean DEFAULT false
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF addr !~ ('^((localhost|[0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9a-fA-F:.]+\])'
                || '(:[0-9]{1,5})?|unix:/[A-Za-z0-9_./-]{1,100})$')
    THEN
        RAISE EXCEPTION 'scale: "%" is no address of a memcached', addr
              USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Write address:port, [address]:port, '
                           'localhost:port or unix:/path.';
    END IF;

    INSERT INTO scale.ring_epoch
    VALUES (ring_add.cache, 'on', scale.ring_stamp(), scale.ring_timeline(),
            NULL, NULL, clock_timestamp())
    ON CONFLICT DO NOTHING;

    PERFORM scale.ring_lock(cache);

    IF EXISTS (SELECT FROM scale.ring AS r WHERE r.cache = ring_add.cache
                                             AND r.addr = ring_add.addr)
    THEN
        RAISE EXCEPTION 'scale: "%" is in the ring already', addr
              USING ERRCODE = 'unique_violation',
                    HINT = 'See scale.ring_reweight() and '
                           'scale.ring_remove().';
    END IF;

    IF (SELECT count(*) FROM scale.ring AS r
         WHERE r.cache = ring_add.cache) >= 64
    THEN
        RAISE EXCEPTION 'scale: a ring has at most 64 servers'
              USING ERRCODE = 'program_limit_exceeded';
    END IF;

    INSERT INTO scale.ring
    VALUES (ring_add.cache, ring_add.addr, ring_add.weight, ring_add.gutter,
            'in', scale.ring_stamp(), NULL, clock_timestamp());

    PERFORM scale.ring_changed(cache, gutter);
END
$$;


-- Locks the ring for a change of one of its servers: is that a gutter?

CREATE OR REPLACE FUNCTION scale.ring_lock_server(cache text, addr text)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_gutter  boolean;
BEGIN
    PERFORM scale.ring_lock(cache);

    SELECT r.gutter INTO found_gutter FROM scale.ring AS r
     WHERE r.cache = ring_lock_server.cache AND r.addr = ring_lock_server.addr;

    IF NOT FOUND THEN
        RAISE EXCEPTION 'scale: "%" is not in the ring of "%"', addr, cache
              USING ERRCODE = 'no_data_found';
    END IF;

    RETURN found_gutter;
END
$$;


CREATE OR REPLACE FUNCTION scale.ring_remove(cache text, addr text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    was  boolean := scale.ring_lock_server(cache, addr);
BEGIN
    DELETE FROM scale.ring AS r
     WHERE r.cache = ring_remove.cache AND r.addr = ring_remove.addr;

    PERFORM scale.ring_changed(cache, was);
END
$$;


CREATE OR REPLACE FUNCTION scale.ring_reweight(
    cache   text,
    addr    text,
    weight  integer
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    was  boolean := scale.ring_lock_server(cache, addr);
BEGIN
    UPDATE scale.ring AS r SET weight = ring_reweight.weight
     WHERE r.cache = ring_reweight.cache AND r.addr = ring_reweight.addr;

    PERFORM scale.ring_changed(cache, was);
END
$$;


-- A web node renews its lease and learns what is.  The renewal is a write, so
-- that a primary that was deposed while its standbys are synchronous cannot
-- confirm it.  On another timeline acknowledged writes may be lost: what is
-- cached was perhaps never written.

CREATE OR REPLACE FUNCTION scale.ring_refresh(
    cache  text,
    node   bigint,
    name   text
) RETURNS TABLE (kind text, addr text, weight integer, state text,
                 stamp bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    line  bigint := scale.ring_timeline();
BEGIN
    INSERT INTO scale.ring_lease AS l
    VALUES (ring_refresh.cache, ring_refresh.node, ring_refresh.name,
            clock_timestamp())
    ON CONFLICT ON CONSTRAINT ring_lease_pkey
    DO UPDATE SET name = excluded.name, renewed = excluded.renewed;

    DELETE FROM scale.ring_lease AS l
     WHERE l.cache = ring_refresh.cache
       AND l.renewed < clock_timestamp() - interval '1 day';

    UPDATE scale.ring_epoch AS e
       SET stamp = scale.ring_stamp(), timeline = line
     WHERE e.cache = ring_refresh.cache AND e.timeline <> line;

    RETURN QUERY
    SELECT q.kind, q.addr, q.weight, q.state, q.stamp
      FROM (SELECT 1, 0::bigint, 'ring', '', 0, e.state, e.stamp
              FROM scale.ring_epoch AS e
             WHERE e.cache = ring_refresh.cache
             UNION ALL
            SELECT 2, 0, CASE WHEN r.gutter THEN 'gutter' ELSE 'node' END,
                   r.addr, r.weight, r.state, r.stamp
              FROM scale.ring AS r
             WHERE r.cache = ring_refresh.cache
             UNION ALL
            SELECT 3, -v.number, 'version', v.members, 0, '', v.stamp
              FROM scale.ring_version AS v
             WHERE v.cache = ring_refresh.cache)
           AS q (part, number, kind, addr, weight, state, stamp)
     ORDER BY q.part, q.number, q.addr;
END
$$;


-- Another database whose rows are cached was failed over.

CREATE OR REPLACE FUNCTION scale.ring_renew(cache text, stamp bigint)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE scale.ring_epoch AS e SET stamp = scale.ring_stamp()
     WHERE e.cache = ring_renew.cache AND e.stamp = ring_renew.stamp;

    RETURN CASE WHEN FOUND THEN 'renewed' ELSE 'declined' END;
END
$$;


-- A memcached does not answer "by_node".  One in 10 s and a third of all may
-- go; when more fail the whole ring is off.  Sessions stay on those that are
-- in, though, so that each one that fails gets a stamp of its own even then.
-- 'ejected', 'off', or 'declined': somebody was first.

CREATE OR REPLACE FUNCTION scale.ring_eject(
    cache    text,
    addr     text,
    stamp    bigint,
    by_node  bigint
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    epoch  scale.ring_epoch := scale.ring_lock(cache);
    spare  boolean;
BEGIN
    SELECT r.gutter INTO spare FROM scale.ring AS r
     WHERE r.cache = ring_eject.cache AND r.addr = ring_eject.addr
       AND r.stamp = ring_eject.stamp AND r.state = 'in';

    IF NOT FOUND THEN
        RETURN 'declined';
    END IF;

    UPDATE scale.ring AS r
       SET state = 'out', stamp = scale.ring_stamp(),
           by_node = ring_eject.by_node, since = clock_timestamp()
     WHERE r.cache = ring_eject.cache AND r.addr = ring_eject.addr;

    IF spare OR epoch.state = 'off' THEN
        RETURN 'ejected';
    END IF;

    IF clock_timestamp() < epoch.ejected + interval '10 s'
       OR (SELECT 3 * count(*) FILTER (WHERE r.state = 'out') > count(*)
             FROM scale.ring AS r
            WHERE r.cache = ring_eject.cache AND NOT r.gutter)
    THEN
        UPDATE scale.ring_epoch AS e
           SET state = 'off', stamp = scale.ring_stamp(),
               by_node = ring_eject.by_node, since = clock_timestamp()
         WHERE e.cache = ring_eject.cache;

        RETURN 'off';
    END IF;

    UPDATE scale.ring_epoch AS e SET ejected = clock_timestamp()
     WHERE e.cache = ring_eject.cache;

    RETURN 'ejected';
END
$$;


-- Who put something out of use says when it is back; others, when that web
-- node has gone.  Not sooner than 10 s after.

CREATE OR REPLACE FUNCTION scale.ring_may(
    cache    text,
    by_node  bigint,
    since    timestamptz,
    node     bigint
) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
    SELECT clock_timestamp() > ring_may.since + interval '10 s'
           AND (ring_may.by_node = ring_may.node
                OR NOT EXISTS (SELECT FROM scale.ring_lease AS l
                                WHERE l.cache = ring_may.cache
                                  AND l.node = ring_may.by_node
                                  AND l.renewed > clock_timestamp()
                                                  - interval '10 s'))
$$;


CREATE OR REPLACE FUNCTION scale.ring_readmit(
    cache    text,
    addr     text,
    stamp    bigint,
    by_node  bigint
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM scale.ring_lock(cache);

    UPDATE scale.ring AS r
       SET state = 'in', stamp = scale.ring_stamp(), by_node = NULL,
           since = clock_timestamp()
     WHERE r.cache = ring_readmit.cache AND r.addr = ring_readmit.addr
       AND r.stamp = ring_readmit.stamp AND r.state = 'out'
       AND scale.ring_may(r.cache, r.by_node, r.since, ring_readmit.by_node);

    RETURN CASE WHEN FOUND THEN 'readmitted' ELSE 'declined' END;
END
$$;


-- The ring is in use again, of a new epoch; "answering" are the members that
-- do, at least two thirds.  Those that were in keep their stamps, and what
-- sessions have there.

CREATE OR REPLACE FUNCTION scale.ring_on(
    cache      text,
    stamp      bigint,
    by_node    bigint,
    answering  text[]
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    epoch  scale.ring_epoch := scale.ring_lock(cache);
BEGIN
    IF epoch.state IS DISTINCT FROM 'off' OR epoch.stamp <> ring_on.stamp
       OR NOT scale.ring_may(cache, epoch.by_node, epoch.since, by_node)
       OR (SELECT 3 * count(*) FILTER (WHERE r.addr <> ALL (answering))
                  > count(*)
             FROM scale.ring AS r
            WHERE r.cache = ring_on.cache AND NOT r.gutter)
    THEN
        RETURN 'declined';
    END IF;

    UPDATE scale.ring AS r
       SET stamp = scale.ring_stamp(), since = clock_timestamp(),
           state = CASE WHEN r.state = 'out' THEN 'in' ELSE 'out' END,
           by_node = CASE WHEN r.state = 'in' THEN ring_on.by_node END
     WHERE r.cache = ring_on.cache
       AND (r.state = 'in') <> (r.addr = ANY (answering));

    UPDATE scale.ring_epoch AS e
       SET state = 'on', stamp = scale.ring_stamp(), by_node = NULL,
           since = clock_timestamp()
     WHERE e.cache = ring_on.cache;

    RETURN 'on';
END
$$;


REVOKE ALL ON scale.ring, scale.ring_epoch, scale.ring_version,
              scale.ring_lease FROM PUBLIC;

REVOKE ALL ON FUNCTION scale.ring_add(text, text, integer, boolean),
                       scale.ring_remove(text, text),
                       scale.ring_reweight(text, text, integer),
                       scale.ring_changed(text, boolean),
                       scale.ring_place(text),
                       scale.ring_lock(text),
                       scale.ring_lock_server(text, text) FROM PUBLIC;
