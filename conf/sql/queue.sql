-- Jobs: work that is put off, done at least once.  Apply after scale.sql.
--
--     INSERT INTO photos (author) VALUES (:me)
--     RETURNING id, scale.enqueue('thumbs', jsonb_build_object('photo', id));
--
-- A job is there if and only if the transaction that calls scale.enqueue() is.
-- A claim hides it until "run_at" and gives the one who claims a secret: only
-- by that it is extended, acknowledged or failed.  What nobody acknowledges in
-- time is claimed again, and is a dead letter after its last attempt.
--
--     GRANT scale_enqueue TO writer;     scale.enqueue(), scale.job_status()
--     GRANT scale_queue TO api;          all of it: scale_queue_api
--
-- The tables are reached by the functions only.  This file may be applied
-- again at any time.

DO $$
BEGIN
    IF to_regrole('scale_enqueue') IS NULL THEN
        CREATE ROLE scale_enqueue NOLOGIN;
    END IF;

    IF to_regrole('scale_queue') IS NULL THEN
        CREATE ROLE scale_queue NOLOGIN;
    END IF;
END
$$;

GRANT scale_enqueue TO scale_queue;


-- What is to be done or under way, and nothing else, so that the table is as
-- large as the backlog.  A claim takes the first of a priority whose time has
-- come; what is under way has its time in the future.

CREATE TABLE IF NOT EXISTS scale.job (
    id        uuid NOT NULL,
    queue     text NOT NULL CHECK (length(queue) BETWEEN 1 AND 64),
    priority  smallint NOT NULL CHECK (priority BETWEEN 0 AND 9),
    attempt   smallint NOT NULL DEFAULT 0,
    run_at    timestamptz NOT NULL,
    queued    timestamptz NOT NULL,
    claim     uuid,
    key       text,
    payload   jsonb NOT NULL,
    error     text,
    CONSTRAINT job_pkey PRIMARY KEY (id) WITH (fillfactor = 90)
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0.5,
    autovacuum_analyze_scale_factor = 0.2,
    autovacuum_analyze_threshold = 10000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX IF NOT EXISTS job_next
    ON scale.job (queue, priority, run_at, id);

CREATE UNIQUE INDEX IF NOT EXISTS job_key
    ON scale.job (queue, key) WHERE key IS NOT NULL;

-- what was done, as long as somebody may ask; a claim may acknowledge twice

CREATE TABLE IF NOT EXISTS scale.job_done (
    id        uuid PRIMARY KEY,
    queue     text NOT NULL,
    attempt   smallint NOT NULL,
    claim     uuid NOT NULL,
    queued    timestamptz NOT NULL,
    done      timestamptz NOT NULL,
    expires   timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05,
        autovacuum_vacuum_cost_delay = 0);

CREATE INDEX IF NOT EXISTS job_done_expires ON scale.job_done (expires);

-- what has failed for good

CREATE TABLE IF NOT EXISTS scale.job_dead (
    id        uuid PRIMARY KEY,
    queue     text NOT NULL,
    priority  smallint NOT NULL,
    attempt   smallint NOT NULL,
    queued    timestamptz NOT NULL,
    died      timestamptz NOT NULL,
    key       text,
    payload   jsonb NOT NULL,
    error     text
);

CREATE INDEX IF NOT EXISTS job_dead_list ON scale.job_dead (queue, id);

-- how many there are of a queue, as of "counted"

CREATE TABLE IF NOT EXISTS scale.queue_depth (
    queue     text PRIMARY KEY,
    depth     bigint NOT NULL,
    counted   timestamptz NOT NULL,
    took      interval NOT NULL
) WITH (fillfactor = 50);


-- A time and 74 random bits (RFC 9562, version 7): in the order of arrival,
-- which keeps the index together, and not to be guessed.

CREATE OR REPLACE FUNCTION scale.job_id() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex((1000 * extract(epoch FROM clock_timestamp()))
                        ::bigint), 12, '0')
            || '7' || substr(u, 16, 3) || substr(u, 20))::uuid
      FROM (SELECT gen_random_uuid()::text) AS random (u)
$$;


-- Somebody waits for jobs of the queue: a worker of nginx that has clients in
-- its line holds the lock.  A NOTIFY in each transaction would take half of
-- the throughput of commits, so it is sent where it is heard only.  The lock
-- is held for no longer than it takes to know; who asks at the same moment
-- sends a NOTIFY too many.

CREATE OR REPLACE FUNCTION scale.queue_wake(queue text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF pg_try_advisory_lock(7122, hashtext(queue)) THEN
        PERFORM pg_advisory_unlock(7122, hashtext(queue));
    ELSE
        PERFORM pg_notify('scale_queue', queue);
    END IF;
END
$$;


-- A job with a key is the job of that key, as long as that is not done.

CREATE OR REPLACE FUNCTION scale.enqueue(
    queue     text,
    payload   jsonb,
    priority  integer DEFAULT 0,
    delay     interval DEFAULT '0',
    key       text DEFAULT NULL
) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made  uuid := scale.job_id();
    came  timestamptz := clock_timestamp();
BEGIN
    LOOP
        INSERT INTO scale.job (id, queue, priority, run_at, queued, payload,
                               key)
        VALUES (made, enqueue.queue, enqueue.priority, came + delay, came,
                enqueue.payload, enqueue.key)
        ON CONFLICT DO NOTHING;

        EXIT WHEN FOUND;

        SELECT j.id INTO made FROM scale.job AS j
         WHERE j.queue = enqueue.queue AND j.key = enqueue.key;

        IF FOUND THEN
            RETURN made;
        END IF;

        made := scale.job_id();         -- that one was done meanwhile
    END LOOP;

    PERFORM scale.queue_wake(queue);

    RETURN made;
END
$$;


-- How many there are, counted no further than "most".  Few are counted each
-- time; many by one session once a second, or less often where that takes
-- long: it is to cost no more than a fiftieth of a core.

CREATE OR REPLACE FUNCTION scale.queue_depth(
    queue  text,
    most   bigint DEFAULT 10000000
) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    few    CONSTANT bigint := 1000;
    known  scale.queue_depth;
    n      bigint;
    began  timestamptz;
BEGIN
    SELECT d.* INTO known FROM scale.queue_depth AS d
     WHERE d.queue = queue_depth.queue;

    IF known.depth >= 2 * few
       AND (known.counted > now() - greatest('1s', 50 * known.took)
            OR NOT pg_try_advisory_xact_lock(7123, hashtext(queue)))
    THEN
        RETURN known.depth;
    END IF;

    SELECT count(*) INTO n
      FROM (SELECT FROM scale.job AS j WHERE j.queue = queue_depth.queue
             LIMIT least(most, 2 * few)) AS counted;

    IF n < least(most, 2 * few) OR most <= 2 * few
       OR pg_is_in_recovery()
    THEN
        RETURN n;
    END IF;

    began := clock_timestamp();

    SELECT count(*) INTO n
      FROM (SELECT FROM scale.job AS j WHERE j.queue = queue_depth.queue
             LIMIT most) AS counted;

    INSERT INTO scale.queue_depth AS d
    VALUES (queue_depth.queue, n, clock_timestamp(),
            clock_timestamp() - began)
    ON CONFLICT ON CONSTRAINT queue_depth_pkey DO UPDATE
       SET depth = excluded.depth, counted = excluded.counted,
           took = excluded.took;

    RETURN n;
END
$$;


-- Back-pressure: 503 where there are "most" already.

CREATE OR REPLACE FUNCTION scale.enqueue_within(
    most      bigint,
    queue     text,
    payload   jsonb,
    priority  integer DEFAULT 0,
    delay     interval DEFAULT '0',
    key       text DEFAULT NULL
) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF scale.queue_depth(queue, most) >= most THEN
        PERFORM scale.fail(503, 'The queue is full');
    END IF;

    RETURN scale.enqueue(queue, payload, priority, delay, key);
END
$$;


-- Its last attempt has failed.

CREATE OR REPLACE FUNCTION scale.job_bury(ids uuid[], error text)
RETURNS void
LANGUAGE sql VOLATILE AS $$
    WITH gone AS (DELETE FROM scale.job AS j WHERE j.id = ANY (ids)
                  RETURNING j.*)
    INSERT INTO scale.job_dead
    SELECT g.id, g.queue, g.priority, g.attempt, g.queued, clock_timestamp(),
           g.key, g.payload, left(coalesce(job_bury.error, g.error), 2000)
      FROM gone AS g
$$;


-- The next jobs: of the highest priority first, of one priority what waits for
-- the longest time.  Each priority is a range of the index that ends now: jobs
-- that are to run later cost nothing, however many they are.
--
-- Until vacuum comes by, the range begins with the entries of all that was
-- claimed: a claim would read them, more with each.  So a session remembers,
-- for each priority, before when it has found nothing, and begins there.  What
-- was committed late, or came back, is found by the search of all of it, once
-- a second and before anybody hears that there is nothing.

CREATE OR REPLACE FUNCTION scale.job_claim(
    queue       text,
    most        integer DEFAULT 1,
    visibility  interval DEFAULT '30s',
    attempts    integer DEFAULT 5
) RETURNS TABLE (id uuid, claim uuid, attempt smallint, priority smallint,
                 queued timestamptz, visible timestamptz, payload jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    all_of_it  CONSTANT timestamptz[] := array_fill('-infinity'::timestamptz,
                                                    ARRAY[11]);
    setting    CONSTANT text := 'scale.low_' || to_hex(hashtext(queue));
    began      CONSTANT timestamptz := clock_timestamp();
    low        timestamptz[];           -- of priority 0 to 9, and when all was
    whole      boolean;                 -- is searched
    rest       integer := most;
    due        uuid[];
    level      integer;
    first      timestamptz;
    n          integer;
BEGIN
    low := nullif(current_setting(setting, true), '');
    whole := coalesce(low[11] < began - interval '1s', true);

    IF whole THEN
        low := all_of_it;
        low[11] := began;
    END IF;

    LOOP
        SELECT array_agg(f.id), (array_agg(f.level))[1],
               (array_agg(f.run_at))[1]
          INTO due, level, first
          FROM (SELECT j.id, l.level, j.run_at
                  FROM generate_series(9, 0, -1) AS l (level),
                       LATERAL (SELECT j.id, j.run_at FROM scale.job AS j
                                 WHERE j.queue = job_claim.queue
                                   AND j.priority = l.level::smallint
                                   AND j.run_at >= low[l.level + 1]
                                   AND j.run_at <= began
                                 ORDER BY j.run_at, j.id LIMIT rest
                                   FOR UPDATE SKIP LOCKED) AS j
                 LIMIT rest) AS f;

        IF due IS NULL THEN
            EXIT WHEN whole OR rest < most;

            whole := true;
            low := all_of_it;
            low[11] := began;
            CONTINUE;
        END IF;

        RETURN QUERY
        WITH taken AS (
            UPDATE scale.job AS j
               SET claim = gen_random_uuid(), attempt = j.attempt + 1,
                   run_at = clock_timestamp() + visibility
             WHERE j.id = ANY (due) AND j.attempt < attempts
         RETURNING j.*)
        SELECT t.id, t.claim, t.attempt, t.priority, t.queued, t.run_at,
               t.payload
          FROM taken AS t ORDER BY t.priority DESC, t.queued, t.id;

        GET DIAGNOSTICS n = ROW_COUNT;
        rest := rest - n;

        EXIT WHEN n = cardinality(due);

        PERFORM scale.job_bury(ARRAY(SELECT j.id FROM scale.job AS j
                                      WHERE j.id = ANY (due)
                                        AND j.attempt >= attempts
                                        AND j.run_at <= began),
                               'not acknowledged in time');
        EXIT WHEN rest = 0;
    END LOOP;

    -- nothing above that, and there nothing earlier

    IF whole OR first > low[level + 1] + interval '100ms' THEN
        FOR above IN coalesce(level, 0) .. 9 LOOP
            low[above + 1] := began - interval '1s';
        END LOOP;

        IF first < began - interval '1s' THEN
            low[level + 1] := first;
        END IF;

        PERFORM set_config(setting, low::text, false);
    END IF;
END
$$;


-- What has no such claim any more is somebody else's, or over.

CREATE OR REPLACE FUNCTION scale.job_lost() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM scale.fail(409, 'The claim is over');
END
$$;


-- Still at work: hidden for so long from now on.

CREATE OR REPLACE FUNCTION scale.job_extend(
    queue       text,
    id          uuid,
    claim       uuid,
    visibility  interval DEFAULT '30s'
) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    until  timestamptz;
BEGIN
    UPDATE scale.job AS j SET run_at = clock_timestamp() + visibility
     WHERE j.id = job_extend.id AND j.claim = job_extend.claim
       AND j.queue = job_extend.queue
 RETURNING j.run_at INTO until;

    IF NOT FOUND THEN
        PERFORM scale.job_lost();
    END IF;

    RETURN until;
END
$$;


-- Done.  Each twentieth removes up to 50 that were long ago.

CREATE OR REPLACE FUNCTION scale.job_ack(
    queue  text,
    id     uuid,
    claim  uuid,
    keep   interval DEFAULT '1h'
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    WITH gone AS (
        DELETE FROM scale.job AS j
         WHERE j.id = job_ack.id AND j.claim = job_ack.claim
           AND j.queue = job_ack.queue
     RETURNING j.*)
    INSERT INTO scale.job_done
    SELECT g.id, g.queue, g.attempt, g.claim, g.queued, clock_timestamp(),
           clock_timestamp() + keep
      FROM gone AS g;

    IF FOUND THEN
        IF random() < 0.05 THEN
            PERFORM scale.job_purge();
        END IF;

        RETURN;
    END IF;

    PERFORM FROM scale.job_done AS d
      WHERE d.id = job_ack.id AND d.claim = job_ack.claim;

    IF NOT FOUND THEN
        PERFORM scale.job_lost();
    END IF;
END
$$;


CREATE OR REPLACE FUNCTION scale.job_purge(most integer DEFAULT 50)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan AS $$
    WITH gone AS (
        DELETE FROM scale.job_done AS d
         WHERE d.id = ANY (ARRAY(SELECT e.id FROM scale.job_done AS e
                                  WHERE e.expires < now()
                                  ORDER BY e.expires LIMIT most
                                    FOR UPDATE SKIP LOCKED))
     RETURNING 1)
    SELECT count(*) FROM gone
$$;


-- Not done: again after "backoff", then twice that, and so on, a tenth more or
-- less, so that what failed together does not come back together.

CREATE OR REPLACE FUNCTION scale.job_fail(
    queue     text,
    id        uuid,
    claim     uuid,
    error     text DEFAULT NULL,
    attempts  integer DEFAULT 5,
    backoff   interval DEFAULT '1s',
    most      interval DEFAULT '10min'
) RETURNS TABLE (status text, run_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    tried  smallint;
    again  timestamptz;
BEGIN
    SELECT j.attempt INTO tried FROM scale.job AS j
     WHERE j.id = job_fail.id AND j.claim = job_fail.claim
       AND j.queue = job_fail.queue
       FOR UPDATE;

    IF NOT FOUND THEN
        PERFORM scale.job_lost();
    END IF;

    IF tried >= attempts THEN
        PERFORM scale.job_bury(ARRAY[job_fail.id], job_fail.error);
        RETURN QUERY SELECT 'dead', NULL::timestamptz;
        RETURN;
    END IF;

    UPDATE scale.job AS j
       SET claim = NULL, error = left(job_fail.error, 2000),
           run_at = clock_timestamp()
                    + least(most, backoff * 2 ^ least(tried - 1, 30))
                      * (0.9 + random() / 5)
     WHERE j.id = job_fail.id
 RETURNING j.run_at INTO again;

    PERFORM scale.queue_wake(queue);

    RETURN QUERY SELECT 'waiting', again;
END
$$;


-- Claimed, and not begun: the next one gets it as if nothing had been.

CREATE OR REPLACE FUNCTION scale.job_return(
    queue   text,
    ids     uuid[],
    claims  uuid[]
) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n  bigint;
BEGIN
    UPDATE scale.job AS j
       SET claim = NULL, attempt = j.attempt - 1,
           run_at = least(j.queued, clock_timestamp())
      FROM unnest(ids, claims) AS held (id, claim)
     WHERE j.id = held.id AND j.claim = held.claim
       AND j.queue = job_return.queue;

    GET DIAGNOSTICS n = ROW_COUNT;

    IF n > 0 THEN
        PERFORM scale.queue_wake(queue);
    END IF;

    RETURN n;
END
$$;


CREATE OR REPLACE FUNCTION scale.job_status(queue text, id uuid)
RETURNS TABLE (id uuid, status text, attempt smallint, queued timestamptz,
               run_at timestamptz, ended timestamptz, error text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT j.id, CASE WHEN j.claim IS NOT NULL AND j.run_at > now()
                      THEN 'running' ELSE 'waiting' END,
           j.attempt, j.queued, j.run_at, NULL::timestamptz, j.error
      FROM scale.job AS j
     WHERE j.id = job_status.id AND j.queue = job_status.queue
     UNION ALL
    SELECT d.id, 'done', d.attempt, d.queued, NULL, d.done, NULL
      FROM scale.job_done AS d
     WHERE d.id = job_status.id AND d.queue = job_status.queue
     UNION ALL
    SELECT l.id, 'dead', l.attempt, l.queued, NULL, l.died, l.error
      FROM scale.job_dead AS l
     WHERE l.id = job_status.id AND l.queue = job_status.queue
$$;


CREATE OR REPLACE FUNCTION scale.job_dead_letters(
    queue  text,
    after  uuid DEFAULT NULL,
    most   integer DEFAULT 50
) RETURNS TABLE (id uuid, attempt smallint, priority smallint,
                 queued timestamptz, died timestamptz, error text,
                 payload jsonb)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.id, d.attempt, d.priority, d.queued, d.died, d.error, d.payload
      FROM scale.job_dead AS d
     WHERE d.queue = job_dead_letters.queue
       AND d.id > coalesce(after, '00000000-0000-0000-0000-000000000000')
     ORDER BY d.id LIMIT most
$$;


-- Dead letters are jobs again, from their first attempt on: one of them, or
-- the oldest ones.  One whose key has a new job meanwhile stays dead.

CREATE OR REPLACE FUNCTION scale.job_redrive(
    queue  text,
    id     uuid DEFAULT NULL,
    most   integer DEFAULT 1000
) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n  bigint;
BEGIN
    WITH chosen AS (
        SELECT d.* FROM scale.job_dead AS d
         WHERE d.queue = job_redrive.queue
           AND (job_redrive.id IS NULL OR d.id = job_redrive.id)
         ORDER BY d.id LIMIT most FOR UPDATE SKIP LOCKED
    ), back AS (
        INSERT INTO scale.job (id, queue, priority, run_at, queued, key,
                               payload)
        SELECT c.id, c.queue, c.priority, clock_timestamp(), c.queued, c.key,
               c.payload
          FROM chosen AS c
        ON CONFLICT DO NOTHING
        RETURNING job.id)
    DELETE FROM scale.job_dead AS d USING back AS b WHERE d.id = b.id;

    GET DIAGNOSTICS n = ROW_COUNT;

    IF n > 0 THEN
        PERFORM scale.queue_wake(queue);
    END IF;

    RETURN n;
END
$$;


-- When the next job may be claimed, or could have been; NULL: there is none.

CREATE OR REPLACE FUNCTION scale.queue_next(queue text)
RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT min(first.run_at)
      FROM generate_series(0, 9) AS level,
           LATERAL (SELECT j.run_at FROM scale.job AS j
                     WHERE j.queue = queue_next.queue
                       AND j.priority = level::smallint
                     ORDER BY j.run_at LIMIT 1) AS first
$$;


-- For who looks after it: how many, the age of what has waited longest in
-- seconds, and how many are dead, up to 10000.

CREATE OR REPLACE FUNCTION scale.queue_stats(queue text)
RETURNS TABLE (depth bigint, oldest double precision, dead bigint)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT scale.queue_depth(queue),
           greatest(0, extract(epoch FROM clock_timestamp()
                                          - scale.queue_next(queue))),
           (SELECT count(*)
              FROM (SELECT FROM scale.job_dead AS d
                     WHERE d.queue = queue_stats.queue LIMIT 10000) AS counted)
$$;


-- A worker of nginx waits for these queues from now on, and for no other: its
-- session hears of them, and holds a lock that scale.queue_wake() meets.  "due"
-- is in how many ms the next job may be claimed, NULL: there is none.  The
-- session has other work: it does not wait for who alters the table.

CREATE OR REPLACE FUNCTION scale.queue_watch(queues text[])
RETURNS TABLE (queue text, due bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan SET lock_timeout = '100ms' AS $$
DECLARE
    held    text := nullif(current_setting('scale.watched', true), '');
    watch   text[] := coalesce(held, '{}');
    name    text;
BEGIN
    IF held IS NULL THEN
        LISTEN scale_queue;
    END IF;

    FOREACH name IN ARRAY queues LOOP
        IF name <> ALL (watch)
           AND pg_try_advisory_lock_shared(7122, hashtext(name))
        THEN
            watch := watch || name;
        END IF;
    END LOOP;

    FOREACH name IN ARRAY watch LOOP
        IF name <> ALL (queues) THEN
            PERFORM pg_advisory_unlock_shared(7122, hashtext(name));
            watch := array_remove(watch, name);
        END IF;
    END LOOP;

    IF held IS DISTINCT FROM watch::text THEN
        PERFORM set_config('scale.watched', watch::text, false);
    END IF;

    RETURN QUERY
    SELECT q, CASE WHEN next < clock_timestamp() THEN 0
                   ELSE ceil(1000 * extract(epoch FROM
                                            next - clock_timestamp()))
              END::bigint
      FROM unnest(queues) AS q, scale.queue_next(q) AS next;
END
$$;


REVOKE ALL ON scale.job, scale.job_done, scale.job_dead, scale.queue_depth
  FROM PUBLIC;

REVOKE ALL ON FUNCTION
    scale.queue_wake(text),
    scale.enqueue(text, jsonb, integer, interval, text),
    scale.enqueue_within(bigint, text, jsonb, integer, interval, text),
    scale.queue_depth(text, bigint),
    scale.job_bury(uuid[], text),
    scale.job_claim(text, integer, interval, integer),
    scale.job_extend(text, uuid, uuid, interval),
    scale.job_ack(text, uuid, uuid, interval),
    scale.job_purge(integer),
    scale.job_fail(text, uuid, uuid, text, integer, interval, interval),
    scale.job_return(text, uuid[], uuid[]),
    scale.job_status(text, uuid),
    scale.job_dead_letters(text, uuid, integer),
    scale.job_redrive(text, uuid, integer),
    scale.queue_stats(text),
    scale.queue_next(text),
    scale.queue_watch(text[])
  FROM PUBLIC;

GRANT EXECUTE ON FUNCTION
    scale.enqueue(text, jsonb, integer, interval, text),
    scale.enqueue_within(bigint, text, jsonb, integer, interval, text),
    scale.job_status(text, uuid)
  TO scale_enqueue;

GRANT EXECUTE ON FUNCTION
    scale.queue_depth(text, bigint),
    scale.job_claim(text, integer, interval, integer),
    scale.job_extend(text, uuid, uuid, interval),
    scale.job_ack(text, uuid, uuid, interval),
    scale.job_purge(integer),
    scale.job_fail(text, uuid, uuid, text, integer, interval, interval),
    scale.job_return(text, uuid[], uuid[]),
    scale.job_dead_letters(text, uuid, integer),
    scale.job_redrive(text, uuid, integer),
    scale.queue_stats(text),
    scale.queue_watch(text[])
  TO scale_queue;
