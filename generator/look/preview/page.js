"use strict";
// All notes stand in the page as short articles; the phones inside an article exist only while it is near the
// viewport, so that a thousand notes open as quickly as ten. A card lives in a frame without scripts.

const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const list = byId("notes");
const filters = byId("filters");
const NEAR = 1200; // px above and below the viewport where phones are kept
const SCREEN = 740; // px of a phone's screen; a mark at the frame's edge shows where each one ends

// Absolute: Chromium's preloader would look for a card's pictures beside the page, and complain, if the base were relative.
const MEDIA = new URL("media/", document.baseURI).href.replaceAll("&", "&amp;");

// What stands around a card in the app: margins only, as AnkiDroid has them, and MathML's alignment.
const AROUND = `
body { margin: 0; padding: 0; overflow-wrap: break-word; }
#content { margin: .5em; }
body.night_mode { color: #fff; background-color: #000; }
img, audio, video { max-width: 100%; }
#typeans { width: 100%; box-sizing: border-box; font: inherit; padding: 4px 6px; }
.math math { display: inline math; }
mtd[columnalign=right] { text-align: right; } mtd[columnalign=left] { text-align: left; }
code.tex { outline: 1px dashed #b8860b; }`;

// ------------------------------------------------------------------------------------------ building

function element(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...inside.filter((part) => part !== null && part !== undefined && part !== ""));
  return made;
}

const mark = (word, text = word) => element("span", { class: `mark ${word}` }, text);

const STATE = {
  stale: "stale", waiting: "waits for a run", "claim wrong": "claim is wrong", "claim misleading": "claim misleads",
  "claim depends": "claim depends", "claim open": "claim is open", "claim holds": "claim holds", new: "new", changed: "changed",
};

const statesOf = (note) => [...note.states, data.statuses[note.id]].filter(Boolean).sort(); // what it is, and what became of it since the release

function shell(note) {
  const article = element("article", { id: `note-${note.id}`, tabindex: "-1", "aria-labelledby": `h-${note.id}` });
  article.note = note;
  article.append(header(note), element("div", { class: "sheet" }));
  return article;
}

function header(note) {
  return element("header", {},
    element("h2", { id: `h-${note.id}` }, element("a", { href: `#${note.id}` }, note.id)),
    source(note.place),
    element("span", { class: "meta" }, `${note.deck} · ${note.type}`),
    ...statesOf(note).map((state) => mark(state.replace("claim ", ""), STATE[state])),
    lacks(note),
    data.live && waits(note));
}

function lacks(note) { // what is left out of the card until there is a record
  const parts = Object.entries(note.waits).map(([alias, blocks]) => `${alias} (${note.runs[alias].kernel}) for ${blockCount(blocks)}`);
  return parts.length ? element("p", { class: "lacks" }, `waits: ${parts.join(", ")}`) : null;
}

const blockCount = (count) => count === 1 ? "1 block" : `${count} blocks`;

function withheld() { // the notes that no learner gets until there is a record
  const notes = data.withheld;
  const box = byId("withheld");
  box.hidden = !notes.length;
  box.querySelector("summary").textContent = notes.length === 1 ? "1 note waits for a measurement" : `${notes.length} notes wait for a measurement`;
  box.querySelector("ul").replaceChildren(...notes.map((note) => element("li", {},
    element("strong", {}, note.id), " ", source(note.place),
    ...Object.entries(note.waits).map(([run, blocks]) => element("p", {}, element("code", {}, run), element("span", { class: "quiet" }, ` for ${blockCount(blocks)}`))))));
}

function source(place) { // a place in a file: to be copied, or opened where the page is served
  if (data.live) return element("a", { class: "place code", href: editorAddress(place), title: "Open in the editor" }, place);
  const made = element("button", { type: "button", class: "place code", title: "Copy" }, place);
  made.addEventListener("click", () => copy(made, place));
  return made;
}

function fill(article) {
  const sheet = article.querySelector(".sheet");
  if (sheet.firstChild) return;
  const show = root.dataset.show;
  const themes = show === "both" ? ["light", "dark"] : [show];
  const phones = element("div", { class: "phones" });
  for (const card of article.note.cards) {
    for (const theme of themes) {
      phones.append(element("div", { class: "pair" }, phone(article, card, "question", theme), phone(article, card, "answer", theme)));
    }
  }
  sheet.append(phones, facts(article.note));
  sheet.style.minHeight = "";
}

function empty(article) {
  const sheet = article.querySelector(".sheet");
  if (!sheet.firstChild || article.contains(document.activeElement) && document.activeElement !== article) return;
  sheet.style.minHeight = `${sheet.offsetHeight}px`;
  sheet.replaceChildren();
}

function phone(article, card, side, theme) {
  const note = article.note;
  const several = note.cards.length > 1 ? `, ${card.name}` : "";
  const name = `${side === "question" ? "Front" : "Back"}${several}`;
  const heights = (article.heights ??= {});
  const key = `${card.ordinal}-${side}`;
  const frame = element("iframe", {
    title: `${note.id}: ${name.toLowerCase()}, ${theme}`, sandbox: "allow-same-origin allow-popups", scrolling: "no",
    style: `height: ${heights[key] ?? 320}px`,
  });
  const box = element("div", { class: `phone ${theme}` }, frame);
  Object.assign(frame, { ordinal: card.ordinal, side });
  frame.srcdoc = cardPage(note, card, side, theme === "dark");
  frame.addEventListener("load", () => {
    const inside = frame.contentDocument;
    const fit = () => {
      heights[key] = Math.max(120, Math.ceil(inside.documentElement.getBoundingClientRect().height));
      frame.style.height = `${heights[key]}px`;
      box.querySelectorAll(".fold").forEach((fold) => fold.remove());
      for (let end = SCREEN; end < heights[key]; end += SCREEN) {
        box.append(element("div", { class: "fold", style: `top: ${end}px`, title: "a phone's screen ends here" }));
      }
    };
    new ResizeObserver(fit).observe(inside.documentElement);
    inside.addEventListener("keydown", onKey);
    inside.fonts.ready.then(fit);
    fit();
  });
  return element("figure", {}, element("figcaption", {}, `${name}${root.dataset.show === "both" ? `, ${theme}` : ""}`), box);
}

function cardPage(note, card, side, night) {
  const body = `card card${card.ordinal + 1}${night ? " nightMode night_mode" : ""}`;
  return `<!doctype html><html class="mobile${night ? " night-mode" : ""}" data-bs-theme="${night ? "dark" : "light"}"><head><meta charset="utf-8">` +
    `<base href="${MEDIA}" target="_blank"><style>${AROUND}</style></head><body class="${body}"><div id="content"><div id="qa">` +
    `${cardText(note, card, side)}</div></div></body></html>`;
}

const cardText = (note, card, side) => `<style>${data.styles[note.type]}</style>${card[side]}`;

// ------------------------------------------------------------------------------ claims and provenance

function facts(note) {
  const made = element("div", { class: "facts" });
  const section = (title, ...inside) => made.append(element("section", {}, element("h3", {}, title), ...inside));
  if (note.claims.length) section("Claims", element("ul", {}, ...note.claims.map(claimItem)));
  const runs = Object.entries(note.runs);
  if (runs.length) section("Made by", element("ul", {}, ...runs.map(([alias, run]) => runItem(alias, run))));
  const values = Object.entries(note.values);
  if (values.length) {
    const pairs = values.map(([reference, { value, unit }]) => [reference, `${plainNumber(value)} ${unit}`]);
    section("Values shown", pairList(pairs, true));
  }
  if (note.tags.length) section("Tags", element("p", { class: "tags" }, note.tags.join(", ")));
  if (note.answers.length) section("Answers", element("p", { class: "tags" }, note.answers.join(", ")));
  return made;
}

function claimItem(claim) {
  return element("li", {},
    mark(claim.verdict), " ", element("span", { class: "said" }, claim.says),
    pairList([
      ["said", claim.said], ["taken as", claim.thresholds.map((threshold) => threshold.join(": ")).join("; ")],
      ["computed", claim.computed || (claim.verdict === "open" ? "not measured, so left out" : "")], ["off by", claim.factor],
      ["from", claim.expression], ["holds if", claim.under && `${claim.under[0]} (${claim.under[1]})`], ["source", claim.source], ["at", source(claim.place)],
    ]));
}

function runItem(alias, run) {
  const made = run.made;
  const seconds = made.seconds === undefined ? null : `${Number(made.seconds).toPrecision(3)} s`;
  return element("li", {},
    element("strong", {}, alias), " ", mark(run.state), " ",
    element("code", { class: "said" }, run.call),
    pairList([
      ["stale", run.reasons.join("; ")], ["kind", run.kind],
      ["device", [made.device, made.device_class !== made.device && made.device_class && `(${made.device_class})`].filter(Boolean).join(" ")], ["driver", made.driver],
      ["torch", made.torch], ["python", made.python], ["made", made.utc], ["took", seconds], ["commit", made.commit], ["record", run.record], ["at", source(run.place)],
    ]));
}

function plainNumber(value) { // 1.12e12 rather than 1120000000000; seven digits tell more than any card shows
  if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6)) return String(Number(value.toPrecision(7)));
  const power = 3 * Math.floor(Math.log10(Math.abs(value)) / 3);
  return `${Number((value / 10 ** power).toPrecision(7))}e${power}`;
}

function pairList(pairs, code = false) {
  const made = element("dl");
  for (const [name, value] of pairs) {
    if (value) made.append(element("dt", {}, code ? element("code", {}, name) : name), element("dd", {}, value instanceof Node ? value : String(value)));
  }
  return made;
}

// ------------------------------------------------------------------------------------------ filtering

function facets() { // what can be chosen from, counted; what is chosen stays
  options(byId("deck"), "All decks", count((note) => [note.deck]));
  options(byId("tag"), "All tags", count(family));
  options(byId("type"), "All types", count((note) => [note.type]));
  const chosen = states();
  const counted = count(statesOf);
  byId("states").querySelectorAll("label").forEach((label) => label.remove());
  for (const state of Object.keys(STATE)) {
    if (!counted[state] && !chosen.includes(state)) continue;
    const box = element("input", { type: "checkbox", value: state });
    box.checked = chosen.includes(state);
    byId("states").append(element("label", {}, box, STATE[state], element("output", {}, counted[state] ?? 0)));
  }
  byId("states").hidden = !byId("states").querySelector("label");
  const { version } = byId("total").dataset;
  const cards = data.notes.reduce((sum, note) => sum + note.cards.length, 0);
  byId("total").textContent = `${data.notes.length} notes, ${cards} cards${version && `, version ${version}`}`;
}

function options(select, all, counted) {
  const chosen = select.value;
  if (chosen) counted[chosen] ??= 0;
  select.replaceChildren(element("option", { value: "" }, all));
  for (const name of Object.keys(counted).sort()) select.append(element("option", { value: name }, `${name} (${counted[name]})`));
  select.value = chosen;
}

function count(names) {
  const found = {};
  for (const note of data.notes) for (const name of names(note)) found[name] = (found[name] || 0) + 1;
  return found;
}

const states = () => [...filters.querySelectorAll("#states input:checked")].map((box) => box.value);

function family(note) { // a tag's parents are offered too: gpu::memory counts under gpu
  return [...new Set(note.tags.flatMap((tag) => tag.split("::").map((_, i, parts) => parts.slice(0, i + 1).join("::"))))];
}

function apply() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const [deck, tag, type] = ["deck", "tag", "type"].map((id) => byId(id).value);
  const chosen = states();
  let shown = 0;
  for (const article of list.children) {
    const note = article.note;
    const fits = (!deck || note.deck === deck) && (!tag || family(note).includes(tag)) && (!type || note.type === type) &&
      (!chosen.length || statesOf(note).some((state) => chosen.includes(state))) && words.every((word) => note.words.includes(word));
    article.hidden = !fits;
    shown += fits;
  }
  byId("count").textContent = shown === data.notes.length ? `${shown} notes` : `${shown} of ${data.notes.length} notes`;
  byId("none").hidden = shown > 0;
}

function clear() {
  byId("search").value = "";
  filters.reset();
  apply();
}

// ------------------------------------------------------------------------------- moving, theme, copying

let current = null;

function goTo(article, focus = true) {
  current?.removeAttribute("aria-current");
  current = article;
  article.setAttribute("aria-current", "true");
  fill(article);
  if (focus) article.focus({ preventScroll: true });
  article.scrollIntoView({ block: "start" });
  const hash = `#${article.note.id}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

function step(by) {
  const open = [...list.children].filter((article) => !article.hidden);
  const at = open.indexOf(current);
  const next = at < 0 ? open.find((article) => article.getBoundingClientRect().bottom > 0) : open[at + by];
  if (next) goTo(next);
}

function show(theme) {
  root.dataset.show = theme;
  document.querySelector(`input[name=show][value=${theme}]`).checked = true;
  inPlace(() => {
    for (const article of list.children) refill(article);
  });
}

function refill(article) {
  const sheet = article.querySelector(".sheet");
  const was = sheet.childElementCount > 0;
  sheet.replaceChildren();
  if (was) fill(article);
}

function inPlace(work) { // the note that is being read stays where it is
  const anchor = scrollY > 0 ? reading() : null;
  const top = anchor?.getBoundingClientRect().top;
  work();
  if (anchor?.isConnected && !anchor.hidden) scrollBy(0, anchor.getBoundingClientRect().top - top);
}

function reading() { // the current note if it is in view, else the first that is
  return inView(current) ? current : [...list.children].find(inView);
}

function inView(article) {
  if (!article || article.hidden) return false;
  const box = article.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = /^(input|select|textarea)$/i.test(event.target.tagName) && event.target.type !== "radio" && event.target.type !== "checkbox";
  if (event.key === "Escape" && event.target.id === "search") {
    event.target.value = "";
    event.target.blur();
    apply();
  } else if (typing) {
    return;
  } else if (event.key === "/") {
    byId("search").focus();
    byId("search").select();
  } else if (event.key === "j" || event.key === "k") {
    step(event.key === "j" ? 1 : -1);
  } else if (event.key === "t") {
    show({ light: "dark", dark: "both", both: "light" }[root.dataset.show]);
  } else {
    return;
  }
  event.preventDefault();
}

async function copy(button, text) {
  await navigator.clipboard?.writeText(text).catch(() => getSelection().selectAllChildren(button));
  button.textContent = "copied";
  setTimeout(() => { button.textContent = text; }, 900);
}

function fromHash() {
  const article = byId(`note-${decodeURIComponent(location.hash.slice(1))}`);
  if (!article) return;
  if (article.hidden) clear();
  goTo(article);
}

// -------------------------------------------------------------------------------------------- starting

list.append(...data.notes.map(shell));
facets();
withheld();

const near = new Set();
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    near[isIntersecting ? "add" : "delete"](target);
    (isIntersecting ? fill : empty)(target);
  }
}, { rootMargin: `${NEAR}px 0px` });
function observe(article) {
  article.querySelector(".sheet").style.minHeight = "520px";
  watcher.observe(article);
}
[...list.children].forEach(observe);

byId("search").addEventListener("input", apply);
filters.addEventListener("change", apply);
filters.addEventListener("submit", (event) => event.preventDefault());
byId("clear").addEventListener("click", (event) => { event.preventDefault(); clear(); });
byId("again").addEventListener("click", clear);
byId("unfold").addEventListener("click", () => byId("unfold").setAttribute("aria-expanded", filters.classList.toggle("open")));
document.querySelectorAll("input[name=show]").forEach((radio) => radio.addEventListener("change", () => show(radio.value)));
document.addEventListener("keydown", onKey);
addEventListener("hashchange", fromHash);
apply();
history.scrollRestoration = "manual"; // the note in the address is the place to return to
if (matchMedia("(prefers-color-scheme: dark)").matches) show("dark");
fromHash();
