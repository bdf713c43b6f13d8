-- Three roles for what the web nodes and the workers of the demo do, and for
-- nothing else.  Applied by the owner of the database after scale.sql, demo.sql,
-- login.sql, queue.sql and photos.sql, in one transaction; it may be applied
-- again at any time.
--
--     api_read     routes that only read, and replicas
--     api_write    routes that write, too
--     api_worker   jobs beside the web nodes
--
-- They have no password yet, so set one:  \password api_read
--
-- Nobody but them uses the functions of scale.sql.  What they may not do, no
-- statement of an nginx.conf can do, whoever wrote it: they own nothing, make
-- nothing, not even a temporary table, and see no other schema.  Their limits
-- are a net below those of nginx.conf, which sets its own in each session.

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['api_read', 'api_write', 'api_worker'] LOOP

        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I', role);
        END IF;

        EXECUTE format('ALTER ROLE %I LOGIN NOINHERIT NOCREATEDB'
                       ' NOCREATEROLE', role);

        EXECUTE format('ALTER ROLE %I SET search_path = public', role);
        EXECUTE format('ALTER ROLE %I SET lock_timeout = ''5s''', role);
        EXECUTE format('ALTER ROLE %I SET'
                       ' idle_in_transaction_session_timeout = ''15s''',
                       role);
    END LOOP;

    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC',
                   current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO api_read, api_write,'
                   ' api_worker', current_database());

    -- the role of demo.sql, as long as there is one

    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'api') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO api',
                       current_database());
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA scale TO api;
    END IF;
END
$$;

-- connections: of all nodes together, twice while they reload

ALTER ROLE api_read    CONNECTION LIMIT 200;
ALTER ROLE api_write   CONNECTION LIMIT 100;
ALTER ROLE api_worker  CONNECTION LIMIT 20;

ALTER ROLE api_read    SET statement_timeout = '10s';
ALTER ROLE api_write   SET statement_timeout = '10s';
ALTER ROLE api_worker  SET statement_timeout = '60s';


-- what scale.sql offers to everybody

REVOKE ALL ON SCHEMA scale FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA scale FROM PUBLIC;

GRANT USAGE ON SCHEMA scale TO api_read, api_write, api_worker;

GRANT EXECUTE ON FUNCTION
      scale.fail, scale.require, scale.bucket, scale.timeline
   TO api_read, api_write, api_worker;

-- the node that caches keeps its part of the ring, and its leases

GRANT EXECUTE ON FUNCTION
      scale.idempotency_begin, scale.idempotency_end,
      scale.ring_refresh, scale.ring_renew, scale.ring_eject,
      scale.ring_readmit, scale.ring_on,
      scale.session_start, scale.session_end, scale.session_read,
      scale.session_seen
   TO api_write;


-- the demo's own

REVOKE ALL ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO api_read, api_write, api_worker;

GRANT SELECT ON users, posts, follows TO api_read, api_write, api_worker;

GRANT INSERT (author, title, body) ON posts TO api_write;
GRANT UPDATE (title, body, version, updated_at) ON posts TO api_write;
GRANT DELETE ON posts TO api_write;
GRANT INSERT (follower, followee), DELETE ON follows TO api_write;

GRANT SELECT, INSERT (id, owner), UPDATE (state) ON photos TO api_write;
GRANT EXECUTE ON FUNCTION login TO api_write;


-- jobs: nginx has them in its statements and serves them to others; a worker
-- that has a connection of its own does what is in them

GRANT EXECUTE ON FUNCTION
      scale.enqueue, scale.enqueue_within, scale.queue_depth,
      scale.queue_stats, scale.queue_watch, scale.job_dead_letters,
      scale.job_redrive, scale.job_purge
   TO api_write;

GRANT EXECUTE ON FUNCTION
      scale.job_claim, scale.job_extend, scale.job_ack, scale.job_fail,
      scale.job_return, scale.job_status
   TO api_write, api_worker;
