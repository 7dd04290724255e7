// The pages of Signalbox in Forge's frame: the same HTML, asked for through Atlassian's bridge,
// which adds the token that says who looks at what.
import { invokeRemote, router, view } from "@forge/bridge";
import { start, Trouble } from "../../app/admin/static/surface.js";

const SURFACES = { "signalbox-panel": "panel", "signalbox-project": "project", "signalbox-admin": "admin" };

async function main() {
  await view.theme.enable();
  const { moduleKey } = await view.getContext();
  const surface = SURFACES[moduleKey];
  document.body.className = surface;

  async function ask(kind, what) {
    const press = kind === "press";
    const path = `/forge/surfaces/${surface}`;
    const answer = await invokeRemote({
      path: press ? path : `${path}?${new URLSearchParams(what)}`,
      method: press ? "POST" : "GET",
      headers: press ? { "Content-Type": "application/json" } : {},
      body: press ? what : undefined,
    }).catch(() => {
      throw new Trouble("Signalbox does not answer just now; it is asked again by itself.");
    });
    if (answer.status !== 200) {
      throw new Trouble(answer.body?.error ?? "Signalbox could not do that.", answer.status === 404);
    }
    return answer.body;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='http']");
    if (!link) return;
    event.preventDefault(); // only the bridge may leave this frame
    router.open(link.href);
  });
  await start(ask).refresh();
}

main();
