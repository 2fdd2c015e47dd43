/** Style of a run's index.html: light and dark, from phones to wide screens. */
export const galleryStyle = `
:root { color-scheme: light dark; --ink: #181b21; --quiet: #5b6270; --line: #d9dde3; --ground: #fff; --card: #f6f7f9; --good: #18703a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaee; --quiet: #a2a9b5; --line: #3a3f49; --ground: #16181d; --card: #1f2229; --good: #6fd08f; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 100rem; padding: 1.2rem; font: 1rem/1.45 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 .3rem; }
#accuracy { margin: 0 0 .8rem; color: var(--quiet); }
form { display: flex; flex-wrap: wrap; gap: .6rem 1.2rem; margin-bottom: .8rem; }
label { display: flex; align-items: center; gap: .4rem; color: var(--quiet); }
input, select, button { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: .3rem; padding: .3rem .6rem; max-width: 16rem; }
button:disabled { opacity: .4; }
:focus-visible { outline: 2px solid #1a73e8; outline-offset: 2px; }
nav { display: flex; align-items: center; justify-content: space-between; gap: 1rem; margin: .6rem 0; font-variant-numeric: tabular-nums; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(min(11rem, 45%), 1fr)); }
li { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; overflow: hidden; }
li a { display: block; }
li img { display: block; width: 100%; aspect-ratio: 1; object-fit: cover; background: #333; }
li div { padding: .45rem .6rem .6rem; overflow-wrap: anywhere; }
li p { margin: 0; } .path, .note { color: var(--quiet); font-size: .85rem; }
.right { color: var(--good); } .wrong, .error { color: var(--bad); }
footer { color: var(--quiet); margin-top: 1.5rem; font-size: .9rem; } footer a { color: inherit; }
`;

/** Script of a run's index.html. It puts text into the page as text alone, whatever photos and classes are called. */
export const galleryScript = `
"use strict";
const { picture, link, rows } = JSON.parse(document.getElementById("data").textContent);
const perPage = 60;
const get = (id) => document.getElementById(id);
const share = (p) => p > 0 && p < 0.0005 ? "<\u00a00.1\u00a0%" : (100 * p).toFixed(1) + "\u00a0%";
const address = (folder, name) => [...folder.split("/"), name].map(encodeURIComponent).join("/");
const classes = new Map();
for (const row of rows) if (row[8] === "") classes.set(row[2], (classes.get(row[2]) ?? 0) + 1);
for (const [name, count] of [...classes].sort((a, b) => b[1] - a[1])) get("class").append(new Option(name + " (" + count + ")", name));
const judged = rows.filter((row) => row[5] >= 0);
const right = judged.filter((row) => row[5] === 1).length;
const failed = rows.filter((row) => row[8] !== "").length;
get("accuracy").textContent = [
  ...(judged.length > 0 ? ["right: " + right + " of " + judged.length + " (" + share(right / judged.length) + ")"] : []),
  ...(failed > 0 ? [failed + " failed"] : []),
].join(", ");
const shows = {
  "": () => true,
  right: (row) => row[5] === 1,
  wrong: (row) => row[5] === 0,
  note: (row) => row[7] !== "",
  failed: (row) => row[8] !== "",
};
const orders = { sure: (a, b) => b[3] - a[3], unsure: (a, b) => a[3] - b[3], against: (a, b) => b[6] - a[6] };
let found = rows;
let page = 0;
const element = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};
function card([photo, folder, label, probability, truth, isRight, against, notes, error]) {
  const item = element("li");
  const text = element("div");
  if (error !== "") {
    text.append(element("p", "path", photo), element("p", "error", error));
    item.append(text);
    return item;
  }
  if (picture) {
    const anchor = element("a");
    anchor.href = address(folder, link);
    const image = element("img");
    image.loading = "lazy";
    image.decoding = "async";
    image.src = address(folder, picture);
    image.alt = photo + ": " + label + ", what mattered for it";
    anchor.append(image);
    item.append(anchor);
  }
  text.append(element("p", isRight < 0 ? "" : isRight ? "right" : "wrong", label + " " + share(probability) + (isRight < 0 ? "" : isRight ? " ✓ right" : " ✗ " + truth)));
  text.append(element("p", "path", photo));
  if (against > 0) text.append(element("p", "note", share(against) + " of the relevance against"));
  if (notes !== "") { const note = element("p", "note", "note: " + (notes.length > 90 ? notes.slice(0, 90) + "…" : notes)); note.title = notes; text.append(note); }
  item.append(text);
  return item;
}
function draw() {
  const pages = Math.max(1, Math.ceil(found.length / perPage));
  page = Math.min(Math.max(page, 0), pages - 1);
  const part = found.slice(page * perPage, (page + 1) * perPage);
  get("photos").replaceChildren(...part.map(card));
  const first = found.length === 0 ? 0 : page * perPage + 1;
  get("where").textContent = first + " to " + (page * perPage + part.length) + " of " + found.length;
  for (const button of document.querySelectorAll("[data-step]")) {
    const next = page + Number(button.dataset.step);
    button.disabled = next < 0 || next >= pages;
  }
}
function filter() {
  const words = get("search").value.toLowerCase();
  const wanted = get("class").value;
  const show = shows[get("show").value];
  found = rows.filter((row) => show(row) && (wanted === "" || (row[2] === wanted && row[8] === "")) && (words === "" || (row[0] + " " + row[2] + " " + row[4]).toLowerCase().includes(words)));
  const order = orders[get("order").value];
  if (order) found = [...found].sort(order);
  page = 0;
  draw();
}
get("filters").addEventListener("input", filter);
get("filters").addEventListener("submit", (event) => event.preventDefault());
for (const button of document.querySelectorAll("[data-step]")) button.addEventListener("click", () => { page += Number(button.dataset.step); draw(); scrollTo(0, 0); });
draw();
`;
