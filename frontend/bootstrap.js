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

// On a page of the past the slider says where it stands. It goes there when it is let go; by keyboard once the
// keys rest, so that a held key is one way, and at Enter, as in any form. It has the focus again where it led.
const slider = document.querySelector("[data-scrub]");
let tell, held;
if (slider) {
  const { form, dataset } = slider;
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: dataset.zone, hour: "2-digit", minute: "2-digit" });
  let rest, keyed;
  tell = () => {
    const stands = clock.format(Number(dataset.scrub) + slider.value * 60_000);
    slider.setAttribute("aria-valuetext", (form.querySelector("output").value = stands));
  };
  slider.addEventListener("input", tell);
  for (const event of ["keydown", "pointerdown"]) {
    slider.addEventListener(event, () => {
      held = true;
      keyed = event === "keydown";
    });
  }
  slider.addEventListener("change", () => {
    clearTimeout(rest);
    rest = setTimeout(() => form.requestSubmit(), keyed ? 800 : 0);
  });
  slider.addEventListener("blur", () => (held = Boolean(rest)));
  form.addEventListener("submit", () => {
    clearTimeout(rest);
    if (document.activeElement === slider) form.action += "#minute";
  });
  if (location.hash === "#minute") slider.focus();
}

// What is done while the past runs starts from what the clock shows, between the beginning of the record and its
// end: now by the server's clock, unless it is a recording.
const shown = () => Number(document.querySelector("[data-now]")?.dataset.now);
const runs = document.querySelector(".past[data-runs]")?.dataset;
if (runs) {
  // The server said what is now when it began to answer, which may be long after it was asked.
  const answered = performance.getEntriesByType("navigation")[0]?.responseStart ?? 0;
  const last = () => Number(runs.until) + (runs.ends ? 0 : performance.now() - answered);
  document.addEventListener("click", ({ target }) => {
    const link = target.closest("a[href]");
    const step = Number(link?.dataset.step ?? 0);
    const address = link && new URL(link.href);
    if (!shown() || !(address?.searchParams.has("at") || step)) return;
    const at = Math.max(shown() + step * 1000, runs.from);
    address.searchParams.set("at", new Date(at).toISOString());
    if (step) address.searchParams.set("speed", new URL(location).searchParams.get("speed"));
    link.href = at < last() ? address : runs.end;
  });
  // What has caught up with now is not the past any more, and a recording stays at its end.
  setInterval(() => {
    if (last() - shown() < 2_000) location.assign(runs.end);
    // The slider goes along, unless somebody holds it: to the end of its day.
    const minute = Math.floor((shown() - slider.dataset.scrub) / 60_000);
    if (!shown() || held || minute > slider.max || minute === slider.valueAsNumber) return;
    slider.value = minute;
    tell();
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
