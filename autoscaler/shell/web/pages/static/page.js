// Keeps a page as it would be if it were loaded anew: server-sent events bring
// HTML that the server has made, and it is put in the place of the old.  The
// page is whole without it.
"use strict";

const body = document.body;
const live = document.getElementById("live");
const says = document.getElementById("live-says");
const cards = document.getElementById("cards");
const seek = document.getElementById("q");
const shown = document.getElementById("shown");
// Then the server has chosen the cards, and others don't belong here.
const isSought = Boolean(new URLSearchParams(location.search).get("q"));
// A restart of the daemon takes less: nobody has to hear of it.
const PATIENCE_MS = 4000;
const AGAIN_MS = 5000;
// Behind other windows a page need not be live.
const HIDDEN_MS = 60000;
// There is a heartbeat every 15 s.
const SILENT_MS = 40000;

let source = null;
let since = body.dataset.since;
let heard = Date.now();
let doubt = null;
let hidden = null;

function show(state, words) {
  if (live.dataset.state === state && state !== "lost") return;
  live.dataset.state = state;
  says.textContent = words;
}

function isAlive() {
  heard = Date.now();
  clearTimeout(doubt);
  doubt = null;
  show("live", "live");
}

function isLost() {
  if (doubt !== null) return;
  doubt = setTimeout(() => {
    const at = new Date(heard).toLocaleTimeString([], { hourCycle: "h23" });
    show("lost", `not live: last heard at ${at}, trying again`);
  }, PATIENCE_MS);
}

function made(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

// What somebody has opened stays open, and where they are they stay.
function replace(old, html) {
  const fresh = made(html);
  for (const each of old.querySelectorAll("details[open]")) {
    const same = fresh.querySelector(`details[data-k="${CSS.escape(each.dataset.k)}"]`);
    if (same) same.open = true;
  }
  const here = old.contains(document.activeElement) ? place(old, document.activeElement) : null;
  const scrolled = [...old.querySelectorAll(".scroll, .wide")].map((e) => [e.scrollLeft, e.scrollTop]);
  fresh.hidden = old.hidden;
  old.replaceWith(fresh);
  fresh.querySelectorAll(".scroll, .wide").forEach((e, i) => {
    if (scrolled[i]) [e.scrollLeft, e.scrollTop] = scrolled[i];
  });
  if (here) find(fresh, here)?.focus({ preventScroll: true });
  return fresh;
}

const FOCUS = "a[href], summary, [tabindex]";

function place(root, element) {
  if (element === root) return { self: true };
  const same = [...root.querySelectorAll(FOCUS)].filter((e) => e.matches(kind(element)));
  return { kind: kind(element), index: same.indexOf(element) };
}

function kind(element) {
  const href = element.getAttribute("href");
  return element.localName + (href ? `[href="${CSS.escape(href)}"]` : "");
}

function find(root, at) {
  return at.self ? root : [...root.querySelectorAll(FOCUS)].filter((e) => e.matches(at.kind))[at.index];
}

function onCard(event) {
  const told = JSON.parse(event.data);
  const old = document.getElementById(told.anchor);
  if (old) {
    const version = old.dataset.version;
    const fresh = replace(old, told.html);
    if (version !== undefined && fresh.dataset.version !== version) readPast();
  } else if (cards && !isSought) {
    const fresh = made(told.html);
    cards.append(fresh);
    filter();
  }
}

function onFleet(event) {
  const told = JSON.parse(event.data);
  replace(document.getElementById("fleet"), told.html);
  const name = body.querySelector(".deployment").textContent;
  document.title = `${told.verdict} – ${name}`;
}

function onOrder(event) {
  const order = JSON.parse(event.data);
  const wanted = new Set(order);
  for (const card of [...cards.children]) {
    if (!wanted.has(card.id)) card.remove();
  }
  let next = cards.firstElementChild;
  for (const id of order) {
    const card = document.getElementById(id);
    if (!card) continue;
    if (card === next) {
      next = next.nextElementSibling;
      continue;
    }
    const focused = card.contains(document.activeElement) ? document.activeElement : null;
    cards.insertBefore(card, next);
    focused?.focus({ preventScroll: true });
  }
  filter();
}

// What has happened is read again; no other address is asked.
async function readPast() {
  const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("past");
  const old = document.getElementById("past");
  if (fresh && old) replace(old, fresh.outerHTML);
}

function filter() {
  if (!seek || isSought) return;
  const words = seek.value.trim().toLowerCase();
  let count = 0;
  for (const card of cards.children) {
    card.hidden = words !== "" && !card.dataset.name.toLowerCase().includes(words);
    if (!card.hidden) count += 1;
  }
  const text = words ? `${count} of ${cards.children.length} groups` : "";
  if (shown.textContent !== text) shown.textContent = text;
}

function connect() {
  disconnect();
  const query = new URLSearchParams({ since });
  if (body.dataset.group) query.set("group", decodeURIComponent(body.dataset.group));
  source = new EventSource(`/live?${query}`);
  source.onopen = isAlive;
  source.onerror = () => {
    isLost();
    // A browser gives up for ever where it is refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_MS);
  };
  const listen = (name, tell) => source.addEventListener(name, (event) => {
    if (event.lastEventId) since = event.lastEventId;
    isAlive();
    tell(event);
  });
  listen("heartbeat", () => {});
  listen("card", onCard);
  if (cards) {
    listen("fleet", onFleet);
    listen("order", onOrder);
  }
}

function disconnect() {
  source?.close();
  source = null;
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hidden);
  if (document.hidden) {
    hidden = setTimeout(() => {
      disconnect();
      show("lost", "not live while it is hidden");
    }, HIDDEN_MS);
  } else if (source === null) {
    connect();
  }
});

if (seek && !isSought) {
  seek.form.querySelector("button").hidden = true;
  seek.form.addEventListener("submit", (event) => event.preventDefault());
  seek.addEventListener("input", filter);
  filter();
}
setInterval(() => {
  // What lies between may have gone without a word.
  if (source !== null && Date.now() - heard > SILENT_MS) {
    heard = Date.now();
    isLost();
    connect();
  }
}, AGAIN_MS);
connect();
