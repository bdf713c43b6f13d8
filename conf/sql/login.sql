-- The logins of the demo service: everybody's password is "demo".
--
-- Applied by the owner of the database when the users are there, and at any
-- time again.  The role "api" cannot read a hash: it asks login(), which says
-- whose name and password these are, or NULL.  bcrypt is made to be slow, of
-- cost 8 some 20 ms of one processor; who is not known costs as much, so that
-- the time does not tell.

CREATE EXTENSION IF NOT EXISTS pgcrypto;

CREATE TABLE IF NOT EXISTS passwords (
    user_id  bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    hash     text NOT NULL
);

-- one hash for all: a real one is made when its user chooses a password, with
-- a salt of its own

INSERT INTO passwords (user_id, hash)
SELECT u.id, demo.hash
  FROM users u, (SELECT crypt('demo', gen_salt('bf', 8)) AS hash) demo
 WHERE NOT EXISTS (SELECT FROM passwords p WHERE p.user_id = u.id);


CREATE OR REPLACE FUNCTION login(name text, password text) RETURNS bigint
LANGUAGE sql STABLE STRICT SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    SELECT known.user_id
      FROM (SELECT p.user_id, coalesce(p.hash, '$2a$08$pEk5tJ2J4kSGGs/yKUFMNe'
                                               'cDJfZH9H3mM26aarW2zRpXlDD6gnSoi')
                   AS hash
              FROM (VALUES (login.name)) AS given (name)
         LEFT JOIN users u ON u.name = given.name
         LEFT JOIN passwords p ON p.user_id = u.id) known
     WHERE crypt(login.password, known.hash) = known.hash
$$;

REVOKE ALL ON FUNCTION login(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION login(text, text) TO api;
