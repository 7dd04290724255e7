// What the pages have in common, however they reach us: refresh, buttons, lists.
// `ask(kind, what)` answers {html, mark, said}; html null = nothing has changed since `mark`.
const TICK = 10_000;
const SOON = [1_000, 3_000]; // after a press its answer is worth a look

export function start(ask) {
  const main = document.getElementById("surface");
  const said = document.getElementById("said");
  const look = { group: "", page: 1 };
  let mark = main.dataset.mark ?? "";
  let busy = false;
  let timer = 0;

  function show(html) {
    const open = new Set([...main.querySelectorAll("details[open]")].map((each) => each.dataset.fold));
    const focus = document.activeElement?.dataset?.focus;
    main.innerHTML = html; // made by our server, which escapes every outside string
    for (const fold of main.querySelectorAll("details")) fold.open = open.has(fold.dataset.fold);
    if (focus) main.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
  }

  async function go(kind, what) {
    if (busy) return false;
    busy = true;
    try {
      const answer = await ask(kind, { ...look, mark, ...what });
      if (answer.html !== null) show(answer.html);
      mark = answer.mark;
      if (kind === "press" || said.dataset.trouble) said.textContent = answer.said ?? "";
      delete said.dataset.trouble;
      return true;
    } catch (fault) {
      said.dataset.trouble = "yes";
      said.textContent = fault.message;
      if (fault.over) clearInterval(timer);
      return false;
    } finally {
      busy = false;
    }
  }

  main.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button || button.disabled) return;
    const { command, nonce, group, page } = button.dataset;
    if (command) {
      button.disabled = true; // a second press would be the same one, and harmless as well
      if (await go("press", { command, nonce })) SOON.forEach((wait) => setTimeout(tick, wait));
      else button.disabled = false;
    } else if (group || page) {
      Object.assign(look, group ? { group, page: 1 } : { page: Number(page) });
      await go("fragment", { mark: "" });
    }
  });

  function tick() {
    if (!document.hidden) go("fragment", {});
  }
  timer = setInterval(tick, TICK);
  document.addEventListener("visibilitychange", tick);
  return { refresh: () => go("fragment", { mark: "" }) };
}

export class Trouble extends Error {
  // over: it is of no use to try again
  constructor(message, over = false) {
    super(message);
    this.over = over;
  }
}
