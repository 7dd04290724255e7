// The host's side of a framed app. Connect, as all.js speaks: {eid, type: "req", mid, mod, fn, args}
// in, {type: "resp" | "evt"} out. Forge: {id, call, …} in, {id, answer} out.
"use strict";
(() => {
  const { origin, facts: told } = document.body.dataset;
  const facts = JSON.parse(told);
  const place = document.querySelector("main");
  const frame = document.createElement("iframe");
  const eid = JSON.parse(place.dataset.name).extension_id;
  const send = (message) => frame.contentWindow.postMessage(message, origin);
  const ask = async (asked) => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ ...facts, ...asked });
    return (await fetch("/sandbox/bridge", { method: "POST", headers, body })).json();
  };

  const connect = async ({ mid, mod, fn, args }) => {
    if (mod === "theming") {
      const evnt = { initialTheme: { colorMode: facts.theme } };
      return send({ type: "evt", etyp: "theme_initialized", evnt, mid });
    }
    if (mod === "env" && fn === "resize") frame.style.minHeight = args[1];
    const token = mod === "context" && fn === "getToken" ? (await ask({ call: fn })).token : undefined;
    send({ type: "resp", mid, args: token ? [token] : [] });
  };

  const forge = async ({ id, call, ...asked }) => {
    if (call === "theme") send({ id, answer: facts.theme });
    if (call === "context") send({ id, answer: facts.context });
    if (call === "invokeRemote") send({ id, answer: await ask({ ...asked, call }) });
  };

  window.addEventListener("message", (event) => {
    if (event.origin !== origin || event.source !== frame.contentWindow || !event.data) return;
    if (event.data.eid === eid && event.data.type === "req") connect(event.data);
    else if (event.data.call) forge(event.data);
  });
  frame.title = "App";
  frame.name = place.dataset.name;
  frame.setAttribute("sandbox", place.dataset.sandbox);
  frame.src = place.dataset.address;
  place.append(frame); // not before somebody listens
})();
