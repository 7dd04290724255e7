// A Connect frame tells Jira that it is there, how tall it is, and asks for the theme.
// Only what we need of the protocol that Atlassian's all.js speaks (npm atlassian-connect-js).
(() => {
  let host;
  try {
    host = JSON.parse(window.name);
  } catch {
    return; // nobody's frame
  }
  if (!host?.extension_id || !host.origin || window.parent === window) return;
  const send = (message) => window.parent.postMessage({ eid: host.extension_id, ...message }, host.origin);
  const call = (mod, fn, ...args) => send({ type: "req", mid: crypto.randomUUID(), mod, fn, args });

  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || event.origin !== host.origin) return;
    const { type, etyp, evnt, mid } = event.data ?? {};
    if (type !== "evt") return;
    if (etyp === "theme_initialized" || etyp === "theme_changed") {
      const mode = (evnt?.initialTheme ?? evnt?.newTheme)?.colorMode;
      const root = document.documentElement;
      if (mode === "light" || mode === "dark") root.dataset.colorMode = mode;
      else delete root.dataset.colorMode; // as the browser has it
    }
    if (mid) send({ type: "resp", mid, args: [] });
  });
  send({ type: "init" });
  call("theming", "initializeTheming");
  new ResizeObserver(() => call("env", "resize", "100%", `${document.body.scrollHeight}px`)).observe(document.body);
})();
