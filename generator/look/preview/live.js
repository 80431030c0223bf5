// --------------------------------------------------------------------------------------------- a served page
// What stands on disk, a moment after it is saved: a stream tells what differs from what the page shows. The note that is being
// read stays in its place, and so do filters, search, theme and whatever is unfolded.

function editorAddress(place) {
  const [, path, line] = place.match(/^(.*):(\d+)$/);
  const safe = (text) => text.split("/").map(encodeURIComponent).join("/");
  const whole = new URL(safe(path), `file://${safe(data.live.root)}/`).pathname;
  return data.live.editor.replaceAll("{path}", () => whole).replaceAll("{line}", line);
}

function waits(note) {
  const runs = data.waiting[note.id];
  return runs && element("p", { class: "waits" }, "waits for ", ...runs.flatMap((run, n) => [n ? ", " : "", element("code", {}, run)]));
}

// ------------------------------------------------------------------------------------------- taking a change

function take(change) {
  const { notes, order, ...about } = change;
  if (about.page && about.page !== data.page) return location.reload(); // the page itself is another one
  const before = { ...data };
  Object.assign(data, about);
  inPlace(() => {
    for (const article of affected(notes, before)) renew(article);
    if (order) arrange(order);
    data.notes = [...list.children].map((article) => article.note);
    tell();
    facets();
    withheld();
    apply();
  });
  look();
}

function affected(notes, before) { // the articles to be shown anew, those of new notes among them
  const found = new Set();
  for (const note of notes) {
    const article = byId(`note-${note.id}`) ?? list.appendChild(shell(note));
    if (!near.has(article)) observe(article);
    if (JSON.stringify(article.note) !== JSON.stringify(note)) found.add(article);
    article.note = note;
  }
  const differs = (name, key) => JSON.stringify(before[name][key]) !== JSON.stringify(data[name][key]);
  for (const article of list.children) {
    const { id, type } = article.note;
    if (differs("statuses", id) || differs("waiting", id) || differs("styles", type)) found.add(article);
  }
  return found;
}

function renew(article) {
  const { note } = article;
  article.querySelector("header").replaceWith(header(note));
  const frames = [...article.querySelectorAll("iframe")];
  if (!frames.length) return; // filled when it comes near
  const cards = new Map(note.cards.map((card) => [card.ordinal, card]));
  if (new Set(frames.map((frame) => frame.ordinal)).size !== cards.size || !frames.every((frame) => cards.has(frame.ordinal))) return refill(article);
  if (!frames.every((frame) => rewrite(frame, cardText(note, cards.get(frame.ordinal), frame.side)))) return refill(article);
  article.querySelector(".facts").replaceWith(facts(note));
}

function rewrite(frame, text) { // in place, since a frame that loads anew is blank for a moment; false where it has not loaded yet
  const card = frame.contentDocument?.getElementById("qa");
  if (!card) return false;
  const open = [...card.querySelectorAll("details")].map((details) => details.open);
  card.innerHTML = text;
  card.querySelectorAll("details").forEach((details, n) => { details.open ||= open[n] ?? false; });
  return true;
}

function arrange(order) {
  const wanted = new Set(order);
  for (const article of [...list.children]) {
    if (wanted.has(article.note.id)) continue;
    watcher.unobserve(article);
    near.delete(article);
    if (current === article) current = null;
    article.remove();
  }
  let next = list.firstElementChild;
  for (const id of order) {
    const article = byId(`note-${id}`);
    if (article === next) {
      next = next.nextElementSibling;
    } else {
      list.insertBefore(article, next);
      refill(article); // a frame that moves loads what it first held
    }
  }
}

// --------------------------------------------------------------------------------------- problems, and how it goes

const panel = element("section", { id: "problems", "aria-live": "polite", hidden: "" });
const going = element("p", { id: "going", class: "quiet", role: "status" });
document.querySelector("aside").before(panel);
byId("total").after(going);

function tell() {
  const found = [...data.problems, ...data.failed];
  const count = found.length === 1 ? "1 problem" : `${found.length} problems`;
  panel.hidden = !found.length;
  panel.replaceChildren(
    element("h2", {}, data.problems.length ? `${count}. The last good cards stay.` : count),
    element("ul", {}, ...found.map(({ place, message, hint }) =>
      element("li", {}, source(place), " ", message, hint && element("span", { class: "quiet" }, ` (${hint})`)))));
  makeRoom();
  document.title = `${found.length ? `(${found.length}) ` : ""}${data.name}: preview`;
  byId("name").textContent = data.name;
  byId("total").dataset.version = data.version;
  goes();
}

function makeRoom() { // what is sticky below the panel stays clear of it
  root.style.setProperty("--above", `${panel.offsetHeight}px`);
}

function goes() {
  const lost = stream && stream.readyState !== EventSource.OPEN;
  going.className = lost ? "lost" : data.running ? "busy" : "";
  going.replaceChildren(...lost ? ["not connected, trying again"] : data.running ? ["running ", element("code", { title: data.running }, data.running.split("(")[0])] : ["live"]);
}

// ------------------------------------------------------------------------------------------------ the stream

let stream;

function connect() {
  stream = new EventSource(`events?from=${encodeURIComponent(data.live.at)}`);
  stream.addEventListener("message", (event) => {
    data.live.at = event.lastEventId;
    take(JSON.parse(event.data));
  });
  stream.addEventListener("open", goes);
  stream.addEventListener("error", () => {
    goes();
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 1000); // it does not try again by itself
  });
}

let looked = "";
let looks;

function look() { // what is looked at comes first where an edit concerns many notes
  clearTimeout(looks);
  looks = setTimeout(() => {
    const ids = [...near].filter(inView).map((article) => article.note.id).join();
    if (ids && ids !== looked) fetch(`looking?at=${ids}`).catch(() => {});
    looked = ids;
  }, 200);
}

// ------------------------------------------------------------------------------------------------ over a reload

function remember() {
  const kept = { search: byId("search").value, show: root.dataset.show, states: states() };
  for (const id of ["deck", "tag", "type"]) kept[id] = byId(id).value;
  const article = scrollY > 0 && reading();
  if (article) Object.assign(kept, { id: article.note.id, top: article.getBoundingClientRect().top });
  sessionStorage.setItem("place", JSON.stringify(kept));
}

function recall() {
  const kept = JSON.parse(sessionStorage.getItem("place"));
  if (!kept) return;
  for (const id of ["search", "deck", "tag", "type"]) byId(id).value = kept[id];
  for (const box of byId("states").querySelectorAll("input")) box.checked = kept.states.includes(box.value);
  apply();
  if (kept.show !== root.dataset.show) show(kept.show);
  const article = kept.id && byId(`note-${kept.id}`);
  if (article) hold(article, kept.top);
}

function hold(article, top) { // until the frames above have their heights, or the reader moves
  const sizes = new ResizeObserver(() => scrollBy(0, article.getBoundingClientRect().top - top));
  const end = () => sizes.disconnect();
  sizes.observe(list);
  setTimeout(end, 3000);
  for (const moves of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(moves, end, { once: true, passive: true });
}

addEventListener("resize", makeRoom);
addEventListener("scroll", look, { passive: true });
addEventListener("pagehide", remember);
tell();
recall();
look();
connect();
