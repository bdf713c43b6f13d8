-- Todo-Backend.  Applied once, after conf/sql/scale.sql.

CREATE TABLE todos (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title      text NOT NULL,
    completed  boolean NOT NULL DEFAULT false,
    "order"    integer
);

-- what a client sees of one: RETURNING seen.* or SELECT seen.*

CREATE FUNCTION todo_seen(t todos, root text)
RETURNS TABLE (id bigint, title text, completed boolean, "order" integer,
               url text)
LANGUAGE sql IMMUTABLE AS $$
    SELECT t.id, t.title, t.completed, t."order", root || '/todos/' || t.id
$$;

GRANT SELECT, DELETE ON todos TO api;
GRANT INSERT (title, completed, "order") ON todos TO api;
GRANT UPDATE (title, completed, "order") ON todos TO api;
