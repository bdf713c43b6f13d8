-- The photos of the demo service, and their thumbnails: applied after queue.sql
-- by the owner of the database, and at any time again.
--
-- A photo is "pending" until its owner says that it is in the object store,
-- "stored" until a worker has made its thumbnail, and "done" then.

CREATE TABLE IF NOT EXISTS photos (
    id       uuid PRIMARY KEY,
    owner    bigint NOT NULL REFERENCES users,
    state    text NOT NULL DEFAULT 'pending',
    created  timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT photos_state CHECK (state IN ('pending', 'stored', 'done'))
);

GRANT SELECT, INSERT (id, owner), UPDATE (state) ON photos TO api;
GRANT scale_queue TO api;
