// Asks every second whether something changed and puts the changed parts into the page.
// What a person is typing stands outside of these parts; opened expands stay open.
"use strict";

const opened = (part) =>
  [...part.querySelectorAll("details")].map((node) => [node, node.closest("[data-comment]")])
    .map(([node, home]) => `${home ? home.dataset.comment : ""}/${node.querySelector("summary").textContent}`);

const keepOpen = (part, fresh) => {
  const keys = opened(part);
  const open = new Set([...part.querySelectorAll("details")].flatMap((node, i) => (node.open ? [keys[i]] : [])));
  const names = opened(fresh);
  fresh.querySelectorAll("details").forEach((node, i) => { node.open = open.has(names[i]); });
};

const replace = (fresh) => {
  const part = document.querySelector(`[data-part="${fresh.dataset.part}"]`);
  if (!part || part.contains(document.activeElement)) return;
  keepOpen(part, fresh);
  if (part.innerHTML !== fresh.innerHTML) part.replaceChildren(...fresh.childNodes);
};

const look = async (live) => {
  const url = new URL(live.dataset.live, location.href);
  url.searchParams.set("seen", live.dataset.version);
  const answer = await fetch(url);
  if (answer.status !== 200) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  page.querySelectorAll("[data-part]").forEach(replace);
  live.dataset.version = answer.headers.get("X-Version");
};

const again = async (live) => {
  try {
    if (!document.hidden) await look(live);
  } catch {
    // The sandbox was stopped; ask again in case it comes back.
  }
  setTimeout(again, 1000, live);
};

const live = document.querySelector("[data-live]");
if (live) setTimeout(again, 1000, live);

// Choosing who acts needs no second click.
const who = document.querySelector("#who");
if (who) who.addEventListener("change", () => who.form.requestSubmit());
