// Starts the islands of a page. `cargo xtask bundle` puts the real file names in.
//
// Leptos brings its own version of this, which reads file names at run time and has to stand inside the page.
import start, * as app from "./app.js";

// What Leptos expects to find in a page, usually put there by a script inside of it. Ours hold no script,
// and hand nothing over in this way.
Object.assign(globalThis, { __RESOLVED_RESOURCES: {}, __SERIALIZED_ERRORS: [], __INCOMPLETE_CHUNKS: [] });

// One function for each <leptos-children> we are in: it makes the island around it the owner of the islands
// inside, so that these find its context.
const enter = [];

function hydrate(node) {
  if (node.localName === "leptos-island") {
    const island = app[node.dataset.component];
    try {
      enter.at(-1)?.();
      if (!island) throw new Error(`no island ${node.dataset.component} in the bundle`);
      island(node);
    } catch (error) {
      // One island in trouble must not keep the others from starting.
      console.error(error);
    }
  }
  const children = node.localName === "leptos-children";
  if (children) enter.push(node.$$on_hydrate);
  for (const child of node.children) hydrate(child);
  if (children) enter.pop();
}

// A page whose program cannot be loaded is complete, but stands still: load it again, as <noscript> would.
// Not while somebody types, though.
function retry() {
  const again = () => (document.activeElement?.closest("form") ? retry() : location.reload());
  setTimeout(again, 20_000 + Math.random() * 20_000);
}

// A page that follows time without a program is loaded again, while somebody looks at it and nothing in it
// has the focus.
function follow(seconds) {
  const again = () => {
    const busy = document.hidden || (document.activeElement ?? document.body) !== document.body;
    if (busy) follow(seconds);
    else location.reload();
  };
  setTimeout(again, seconds * 1000);
}

// On a page of the past the slider goes where it is let go; what is done while the past runs starts from what
// the clock shows.
document.addEventListener("change", ({ target }) => {
  if ("scrub" in target.dataset) target.form.requestSubmit();
});
const shown = () => Number(document.querySelector("[data-now]")?.dataset.now);
const runs = document.querySelector(".past[data-runs]");
if (runs) {
  document.addEventListener("click", ({ target }) => {
    const link = target.closest("[data-past] a");
    const address = link && new URL(link.href);
    if (!address?.searchParams.has("at") || !shown()) return;
    address.searchParams.set("at", new Date(shown() + (link.dataset.step ?? 0) * 1000).toISOString());
    link.href = address;
  });
  // What has caught up with now is not the past any more.
  setInterval(() => {
    if (Date.now() - shown() < 2_000) location.assign(runs.querySelector(".past-now").href);
  }, 1_000);
}

const { reload } = document.documentElement.dataset;
if (reload) follow(Number(reload));

try {
  await start({ module_or_path: new URL("./app.wasm", import.meta.url) });
  app.hydrate();
  hydrate(document.body);
  // For tests, and for style that only makes sense on a live page.
  document.documentElement.dataset.live = "yes";
} catch (error) {
  console.error(error);
  document.documentElement.dataset.live = "no";
  retry();
}
