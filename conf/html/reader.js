"use strict";

/* The reader: views by the address's fragment, data from /v1. */

const views = [
    [/^\/login$/, showLogin],
    [/^\/users$/, showUsers],
    [/^\/users\/(\d+)$/, showUser],
    [/^\/users\/(\d+)\/posts$/, showPosts],
    [/^\/users\/(\d+)\/timeline$/, showTimeline],
    [/^\/users\/(\d+)\/new$/, showNew],
    [/^\/posts\/(\d+)$/, showPost],
    [/^\/posts\/(\d+)\/edit$/, showEdit],
];

const main = document.getElementById("main");
const wire = document.getElementById("wire");
const find = document.getElementById("find");
const me = document.getElementById("me");

let turn = 0;                   /* an answer for an older view is dropped */
let session = null;             /* { user, name } of who is logged in */


/* a node; strings become text, so nothing of the data is ever markup */

function el(tag, attributes, ...children) {
    const node = document.createElement(tag);

    for (const [name, value] of Object.entries(attributes || {})) {
        if (typeof value === "function") {
            node.addEventListener(name, value);
        } else if (value !== undefined) {
            node.setAttribute(name, value);
        }
    }

    node.append(...children.filter((c) => c !== null));
    return node;
}

function link(path, text) {
    return el("a", { href: "#" + path }, text);
}

function when(text) {
    const date = new Date(text);
    return isNaN(date) ? String(text) : date.toLocaleDateString();
}

function soft(...children) {
    return el("p", { class: "soft" }, ...children);
}


async function call(method, path, json) {
    const start = performance.now();
    const options = { method, headers: { Accept: "application/json" } };

    if (json !== undefined) {
        options.headers["Content-Type"] = "application/json";
        options.body = JSON.stringify(json);
    }

    const response = await fetch(path, options);
    const text = await response.text();

    showWire(method, path, response, performance.now() - start);

    if (!response.ok) {
        throw problem(response, text);
    }

    return text === "" ? null : JSON.parse(text);
}

function problem(response, text) {
    let document = {};

    try {
        document = JSON.parse(text);
    } catch (e) {
        /* an HTML page of nginx's own */
    }

    const error = new Error(document.title || response.statusText);
    error.status = response.status;
    error.detail = document.detail;
    return error;
}

function showWire(method, path, response, took) {
    const status = response.headers.get("Cache-Status");
    const kind = !response.ok ? "failed"
        : /;\s*hit/.test(status || "") ? "hit" : "fwd";

    wire.replaceChildren(
        `${method} ${path} → ${response.status} in ${took.toFixed(1)} ms · `,
        el("span", { class: kind },
           "Cache-Status: " + (status || "none (not cached)")));
}

function showError(error) {
    return el("div", { class: "problem", role: "alert" },
              el("strong", null, (error.status ? error.status + " " : "")
                                 + error.message),
              error.detail ? soft(error.detail) : null);
}


/* runs an action; a failure is shown above what is there already */

async function attempt(action) {
    try {
        await action();
    } catch (error) {
        main.querySelector(".problem")?.remove();
        main.prepend(showError(error));
        main.querySelector(".problem").scrollIntoView({ block: "nearest" });
    }
}


/* the cookie is the browser's: no script sees it */

async function restore() {
    try {
        session = await call("GET", "/v1/session");
    } catch (error) {
        session = null;
    }

    me.textContent = session ? session.name : "Log in";
}

async function showLogin() {
    if (session) {
        return [
            el("h1", null, "You are ",
               link(`/users/${session.user}`, session.name)),
            el("div", { class: "row" },
               el("button", { click: () => attempt(async () => {
                   await call("DELETE", "/v1/session");
                   await restore();
                   await show();
               }) }, "Log out")),
            ...photoForm(),
        ];
    }

    return [el("h1", null, "Log in"), el("form", { class: "edit",
        submit: (event) => {
            event.preventDefault();
            attempt(async () => {
                const form = new FormData(event.target);
                await call("POST", "/v1/session", Object.fromEntries(form));
                await restore();
                go(`/users/${session.user}`);
            });
        } },
        el("label", null, "Name",
           el("input", { name: "name", required: "", value: "nginx",
                         autocomplete: "username" })),
        el("label", null, "Password",
           el("input", { name: "password", type: "password", required: "",
                         autocomplete: "current-password" })),
        el("div", { class: "row" }, el("button", null, "Log in")))];
}

/* to the object store by a signed URL; a worker makes the thumbnail */

function photoForm() {
    const status = el("p", null);

    return [el("h2", null, "A photo"), el("form", { class: "edit",
        submit: (event) => {
            event.preventDefault();
            const file = event.target.elements.photo.files[0];
            attempt(() => sendPhoto(file, status));
        } },
        el("label", null, "Picture, 5 MB at most",
           el("input", { name: "photo", type: "file", accept: "image/*",
                         required: "" })),
        el("div", { class: "row" }, el("button", null, "Send"))), status];
}

async function sendPhoto(file, status) {
    const photo = await call("POST", "/v1/photos",
                             { type: file.type, bytes: file.size });
    status.textContent = "Sending…";

    const sent = await fetch(photo.url, { method: "PUT", body: file,
        headers: { "Content-Type": file.type, "If-None-Match": "*" } });

    if (!sent.ok) {
        throw problem(sent, await sent.text());
    }

    await call("POST", `/v1/photos/${photo.id}/stored`);
    status.textContent = "A worker makes the thumbnail…";

    for (let i = 0; i < 60; i++) {
        const now = await call("GET", `/v1/photos/${photo.id}`);

        if (now.thumbnail) {
            status.replaceChildren(el("img", { src: now.thumbnail,
                                               alt: "the thumbnail" }));
            return;
        }

        await new Promise((resolve) => setTimeout(resolve, 500));
    }

    status.textContent = "There is no thumbnail yet.";
}


function list(rows, item) {
    return rows.length === 0
        ? soft("Nothing here.")
        : el("ul", { class: "list" },
             ...rows.map((row) => el("li", null, ...item(row))));
}

function userItem(user) {
    return [link(`/users/${user.id}`, user.name), soft(user.bio)];
}

function postItem(post) {
    return [link(`/posts/${post.id}`, post.title),
            soft(post.name ? link(`/users/${post.author}`, post.name) : "",
                 (post.name ? " · " : "") + when(post.created_at))];
}

/* a list and a button that appends the next page; pages have 50 rows */

async function paged(path, item, next) {
    const box = el("div");

    async function add(from) {
        const url = path + (from ? (path.includes("?") ? "&" : "?") + from
                                 : "");
        const rows = await call("GET", url);

        box.append(list(rows, item));

        if (rows.length === 50) {
            const more = el("button", { class: "quiet", click: () => {
                attempt(() => add(next(rows[49])).then(() => more.remove()));
            } }, "More");
            box.append(more);
        }
    }

    await add("");
    return box;
}

const before = (row) => "before=" + row.id;


async function showUsers(query) {
    const start = query.get("start") || "";
    const path = "/v1/users"
                 + (start ? "?start=" + encodeURIComponent(start) : "");

    return [el("h1", null, start ? `Users from “${start}”` : "Users"),
            soft("Followed by many: ", ...popular()),
            await paged(path, userItem,
                        (row) => "after=" + encodeURIComponent(row.name))];
}

function popular() {
    return ["glibc", "perl", "python3-defaults", "zlib", "nginx"].flatMap(
        (name, i) => [i ? " · " : "", link("/users?start=" + name, name)]);
}


async function showUser(query, id) {
    const user = await call("GET", `/v1/users/${id}`);
    const mine = session ? String(session.user) : null;

    return [
        el("h1", null, user.name),
        soft(user.bio),
        soft(`User ${user.id} · ${user.followers} followers · `
             + `follows ${user.following}`),
        el("div", { class: "row" },
           link(`/users/${id}/timeline`, "Timeline"),
           link(`/users/${id}/posts`, "All posts"),
           mine === id ? link(`/users/${id}/new`, "Write a post") : ""),
        mine && mine !== id ? followButtons(mine, id) : null,
        el("h2", null, "Newest posts"),
        list(user.posts, postItem),
    ];
}

function followButtons(mine, id) {
    const change = (method) => () => attempt(async () => {
        await call(method, `/v1/users/${mine}/follows/${id}`);
        await show();
    });

    return el("div", { class: "row" },
              el("button", { click: change("PUT") }, "Follow"),
              el("button", { class: "quiet", click: change("DELETE") },
                 "Unfollow"));
}


async function showPosts(query, id) {
    return [el("h1", null, "Posts of user ", link(`/users/${id}`, id)),
            await paged(`/v1/posts?author=${id}`, postItem, before)];
}


async function showTimeline(query, id) {
    return [el("h1", null, "Timeline of user ", link(`/users/${id}`, id)),
            await paged(`/v1/users/${id}/timeline`, postItem, before)];
}


async function showPost(query, id) {
    const post = await call("GET", `/v1/posts/${id}`);
    const hers = session && session.user === post.author;

    return [
        el("h1", null, post.title),
        soft("by user ", link(`/users/${post.author}`, String(post.author)),
             ` · ${when(post.created_at)} · version ${post.version}`),
        el("div", { class: "body" }, post.body),
        el("div", { class: "row" },
           hers ? el("button", { click: () => go(`/posts/${id}/edit`) }, "Edit")
                : "",
           el("button", { class: "quiet", click: () => show() }, "Read again"),
           hers ? el("button", { class: "quiet", click: () => remove(post) },
                     "Delete") : ""),
    ];
}

function remove(post) {
    if (confirm(`Delete “${post.title}”?`)) {
        attempt(async () => {
            await call("DELETE", `/v1/posts/${post.id}`);
            go(`/users/${post.author}`);
        });
    }
}


async function showEdit(query, id) {
    const post = await call("GET", `/v1/posts/${id}`);

    return [el("h1", null, "Edit post ", link(`/posts/${id}`, id)),
            editor(post.title, post.body, async (fields) => {
                fields.version = post.version;
                await call("PATCH", `/v1/posts/${id}`, fields);
                go(`/posts/${id}`);
            })];
}


async function showNew(query, id) {
    return [el("h1", null, "Write as user ", link(`/users/${id}`, id)),
            editor("", "", async (fields) => {
                const post = await call("POST", "/v1/posts", fields);
                go(`/posts/${post.id}`);
            })];
}

function editor(title, body, save) {
    const text = el("textarea", { name: "body", required: "" });
    text.value = body;

    return el("form", { class: "edit", submit: (event) => {
        event.preventDefault();
        attempt(() => save(Object.fromEntries(new FormData(event.target))));
    } },
        el("label", null, "Title",
           el("input", { name: "title", value: title, maxlength: 200,
                         required: "" })),
        el("label", null, "Text", text),
        el("div", { class: "row" }, el("button", null, "Save")));
}


function go(path) {
    location.hash = path;
}

async function show() {
    const [path, search] = (location.hash.slice(1) || "/users").split("?");
    const query = new URLSearchParams(search);
    const mine = ++turn;
    let nodes;

    try {
        nodes = [el("p", null, "No such page.")];

        for (const [pattern, view] of views) {
            const match = pattern.exec(path);
            if (match) {
                nodes = await view(query, ...match.slice(1));
                break;
            }
        }
    } catch (error) {
        nodes = [showError(error)];
    }

    if (mine === turn) {
        main.replaceChildren(...nodes.filter((n) => n !== null));
    }
}


find.addEventListener("submit", (event) => {
    event.preventDefault();
    go("/users?start=" + encodeURIComponent(find.elements.start.value));
});

window.addEventListener("hashchange", () => {
    show().then(() => { main.focus(); scrollTo(0, 0); });
});

restore().then(show);
