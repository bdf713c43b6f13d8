#!/usr/bin/python3

"""Loads Debian's package index into the demo database.

Source packages become users, binary packages posts, dependencies follows.
The index is what apt has on this machine (apt-cache dumpavail); nothing is
downloaded.  Fields are chosen by name, so that no maintainer's name or
address is loaded.  Ids depend on the index alone.

Runs psql, which takes its connection from PGHOST, PGPORT, PGUSER and
PGDATABASE.  Loads in one transaction, or not at all where posts exist.
"""

import hashlib
import os
import re
import subprocess
import sys
import time

PSQL = [os.environ.get("PSQL", "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]

REMEDY = ("apt's package lists are empty on this machine, and the demo data "
          "is made of them.\nRun \"apt-get update\" (as root) and start again.")

# what of a record goes into the body of a post, in this order
FIELDS = ("Version", "Architecture", "Section", "Priority", "Installed-Size",
          "Homepage", "Pre-Depends", "Depends", "Recommends", "Suggests",
          "Enhances", "Provides", "Breaks", "Conflicts", "Replaces", "Tag",
          "Filename", "SHA256")

BODY = 64000                # characters; the API takes no longer ones
NAMED_BY = 24               # dependants a post names; libc6 has 20,000
EPOCH = 1672531200          # 2023-01-01: when post 0 would have appeared
STEP = 1500                 # seconds from one post to the next

EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
FIELD = re.compile(r"^([A-Za-z0-9-]+):[ \t]*(.*(?:\n[ \t].*)*)", re.M)
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def fail(message):
    print("load: " + message, file=sys.stderr)
    sys.exit(1)


def progress(text, end="\n"):
    tty = sys.stderr.isatty()
    if tty or end == "\n":
        print(("\r\033[K" if tty else "") + "demo data: " + text,
              end=end, file=sys.stderr, flush=True)


def read_index():
    """The packages by name; of several versions the first, apt's choice."""
    try:
        out = subprocess.run(["apt-cache", "dumpavail"], check=True,
                             stdout=subprocess.PIPE).stdout
    except FileNotFoundError:
        fail("apt-cache is not installed, and the demo data is Debian's "
             "package index.")
    except subprocess.CalledProcessError as e:
        fail("apt-cache dumpavail failed with status %d." % e.returncode)

    packages = {}

    for record in out.decode("utf-8", "replace").split("\n\n"):
        fields = dict(FIELD.findall(record))
        if "Package" in fields and fields["Package"] not in packages:
            packages[fields["Package"]] = fields

    # a machine without lists still knows its installed packages
    if sum("Filename" in f for f in packages.values()) < 1000:
        fail(REMEDY)

    return packages


def source_of(fields):
    return (fields.get("Source") or fields["Package"]).split()[0]


def dependencies(fields, packages):
    """The packages that a package depends on, of alternatives the first."""
    text = ",".join(fields.get(k, "") for k in ("Pre-Depends", "Depends"))

    for group in text.split(","):
        name = re.split(r"[\s(:|]", group.strip(), 1)[0]
        if name in packages:
            yield name


def describe(fields, dependants):
    """A post's body: the description, the facts, and who needs it."""
    text = EMAIL.sub("…", fields.get("Description", ""))
    lines = [re.sub(r"\n \.\n", "\n\n", text), ""]

    for key in FIELDS:
        value = fields.get(key)
        if value and not EMAIL.search(value):
            lines.append(key + ": " + " ".join(value.split()))

    if dependants:
        names = sorted(dependants)
        more = len(names) - NAMED_BY
        lines.append("Needed-By: " + ", ".join(names[:NAMED_BY])
                     + (" and %d more" % more if more > 0 else ""))

    return "\n".join(lines)[:BODY]


def make_tables(packages):
    sources = sorted({source_of(f) for f in packages.values()})
    ids = {name: n for n, name in enumerate(sources, 1)}

    dependants = {name: set() for name in packages}
    follows = set()
    binaries = {}

    for name, fields in packages.items():
        source = source_of(fields)
        binaries.setdefault(source, []).append(name)

        for needed in dependencies(fields, packages):
            dependants[needed].add(name)
            follows.add((ids[source], ids[source_of(packages[needed])]))

    # by hash: neighbours in time are strangers, as among people
    order = sorted(packages, key=lambda n: hashlib.md5(n.encode()).digest())

    users = [(ids[s], s, biography(s, binaries[s], packages), stamp(0))
             for s in sources]

    posts = [(n, ids[source_of(packages[name])], title(packages[name]),
              describe(packages[name], dependants[name]), stamp(n), stamp(n))
             for n, name in enumerate(order, 1)]

    return users, posts, sorted(f for f in follows if f[0] != f[1])


def title(fields):
    first = EMAIL.sub("…", fields.get("Description", "")).split("\n")[0]
    return ("%s: %s" % (fields["Package"], first))[:200]


def biography(source, names, packages):
    main = packages[source if source in names else min(names)]
    home = main.get("Homepage", "")
    first = EMAIL.sub("…", main.get("Description", "")).split("\n")[0]
    return first if not home or "@" in home else first + " · " + home


def stamp(n):
    return time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(EPOCH + n * STEP))


def loaded():
    out = subprocess.run(PSQL + ["-Atc", "SELECT EXISTS (SELECT FROM posts)"],
                         stdout=subprocess.PIPE)
    if out.returncode:
        fail("the database does not answer, or has no demo schema.")
    return out.stdout.strip() == b"t"


def copy(psql, table, columns, rows):
    def put(text):
        psql.stdin.write(text.encode())

    put("COPY %s (%s) FROM STDIN;\n" % (table, columns))

    for n, row in enumerate(rows):
        put("\t".join(str(v).translate(ESCAPES) for v in row) + "\n")
        if n % 2000 == 0:
            progress("%s %d of %d" % (table, n, len(rows)), "")

    put("\\.\n")


def load(users, posts, follows):
    # not psql -1: it would commit what had arrived when this program died
    psql = subprocess.Popen(PSQL, stdin=subprocess.PIPE)

    try:
        psql.stdin.write(b"BEGIN;\n")
        copy(psql, "users", "id, name, bio, created_at", users)
        copy(psql, "posts",
             "id, author, title, body, created_at, updated_at", posts)
        copy(psql, "follows", "follower, followee", follows)

        for table in "users", "posts":
            psql.stdin.write((
                "SELECT setval(pg_get_serial_sequence('%s', 'id'), max(id))"
                " FROM %s \\g /dev/null\n" % (table, table)).encode())

        psql.stdin.write(b"ANALYZE users, posts, follows;\nCOMMIT;\n")
        progress("checking references", "")
        psql.stdin.close()
    except BrokenPipeError:
        pass                        # psql has said why

    if psql.wait():
        fail("psql could not load the data; nothing was kept.")


def main():
    if loaded():
        progress("already loaded")
        return

    start = time.monotonic()
    progress("reading apt's package index")

    users, posts, follows = make_tables(read_index())
    load(users, posts, follows)

    progress("%d users, %d posts, %d follows in %.1f s"
             % (len(users), len(posts), len(follows),
                time.monotonic() - start))


if __name__ == "__main__":
    main()
