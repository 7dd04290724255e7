// The page in a frame of Jira's, or alone: our own short token instead of a cookie.
import { start, Trouble } from "./surface.js";

const here = location.pathname.replace(/\/$/, "");
let token = document.querySelector('meta[name="signalbox-token"]').content;

async function ask(kind, what) {
  const press = kind === "press";
  const query = new URLSearchParams(what);
  const answer = await fetch(press ? `${here}/press` : `${here}/fragment?${query}`, {
    method: press ? "POST" : "GET",
    headers: { authorization: `Bearer ${token}`, ...(press && { "content-type": "application/json" }) },
    body: press ? JSON.stringify(what) : undefined,
    credentials: "omit",
    cache: "no-store",
    referrerPolicy: "no-referrer",
  }).catch(() => {
    throw new Trouble("Signalbox does not answer just now; it is asked again by itself.");
  });
  if (answer.status === 401) throw new Trouble("You were signed in for long: please load the page again.", true);
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Trouble(body.error ?? "Signalbox could not do that.", answer.status === 404);
  token = body.token;
  return body;
}

start(ask);
