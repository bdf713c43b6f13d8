-- A URL shortener.  Applied once, after conf/sql/scale.sql.

CREATE TABLE links (
    code     text PRIMARY KEY,
    target   text NOT NULL,
    created  timestamptz NOT NULL DEFAULT now()
);

-- a popular link is counted in sixteen rows, whose locks are not all taken

CREATE TABLE hits (
    code  text NOT NULL REFERENCES links,
    slot  integer NOT NULL,
    n     bigint NOT NULL,
    PRIMARY KEY (code, slot)
) WITH (fillfactor = 50);


-- seven of 62 characters, from a uuid's random bits: 3.5e12 codes

CREATE FUNCTION draw_code() RETURNS text
LANGUAGE sql VOLATILE AS $$
    SELECT string_agg(substr('0123456789abcdefghijklmnopqrstuvwxyz'
                             'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
                             get_byte(u, i) % 62 + 1, 1), '')
      FROM uuid_send(gen_random_uuid()) u,
           unnest('{0,1,2,3,4,5,7}'::integer[]) i
$$;


-- A code that is taken, were it at the same moment, is drawn again.

CREATE FUNCTION shorten(target text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    made  text;
BEGIN
    FOR attempt IN 1 .. 10 LOOP
        INSERT INTO links (code, target) VALUES (draw_code(), shorten.target)
        ON CONFLICT DO NOTHING RETURNING code INTO made;

        IF FOUND THEN
            RETURN made;
        END IF;
    END LOOP;

    PERFORM scale.fail(503, 'No free code was drawn');
END
$$;

CREATE VIEW top AS
    SELECT code, target, sum(n)::bigint AS hits
      FROM hits JOIN links USING (code)
  GROUP BY code, target
  ORDER BY hits DESC, code
     LIMIT 20;

-- xmlelement() and xmlforest() escape what visitors wrote

CREATE VIEW top_page AS
    SELECT '<!DOCTYPE html><title>Most visited</title>'
           || xmlelement(name table, xmlagg(xmlelement(name tr,
                  xmlforest(hits AS td),
                  xmlelement(name td, xmlelement(name a,
                      xmlattributes('/' || code AS href), target)))
                  ORDER BY hits DESC, code)) AS html
      FROM top;

GRANT SELECT ON top, top_page TO api;
GRANT SELECT, INSERT ON links TO api;
GRANT SELECT, INSERT, UPDATE ON hits TO api;
