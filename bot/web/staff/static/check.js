// One answer: its sources in the pane, verdicts by keys, passages picked by selecting, and the form sent so that
// nothing typed is lost when it is refused.

import { send } from "./desk.js";
import { listen } from "./keys.js";
import { selectedPlace } from "./picking.js";

const pane = document.querySelector("#pane");
const form = document.querySelector("#judgement");
const parts = [...document.querySelectorAll("[data-part]")];
const fault = document.querySelector("#fault");
const pickFault = document.querySelector("#pick-fault");
let marked = -1;

// The document ------------------------------------------------------------------------------------------------------

let segment = document.querySelector(".document")?.dataset.place.match(/source\/([^?#]*)/)[1];

async function show(link) {
  const address = new URL(link, location);
  const answer = await fetch(`/staff/review${address.pathname}${address.search}`);
  if (!answer.ok) return;
  segment = address.pathname.split("/").at(-1);
  pane.innerHTML = await answer.text();
  scroll();
}

function scroll() {
  const place = pane.querySelector("#cited");
  if (place) pane.scrollTop += place.getBoundingClientRect().top - pane.getBoundingClientRect().top - pane.clientHeight / 3;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-source], #pane a[data-open]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  show(link.href);
  const part = link.closest("[data-part]");
  if (part) mark(parts.indexOf(part), false);
});

// Verdicts ----------------------------------------------------------------------------------------------------------

function mark(number, open = true) {
  if (!parts.length) return;
  parts[marked]?.classList.remove("marked");
  marked = Math.max(0, Math.min(parts.length - 1, number));
  const part = parts[marked];
  part.classList.add("marked");
  part.scrollIntoView({ block: "nearest" });
  const link = part.querySelector("a[data-source]");
  (part.querySelector("input:checked") ?? part.querySelector("input"))?.focus({ preventScroll: true });
  if (open && link) show(link.href);
}

function choose(event) {
  if (marked < 0) mark(0);
  const choice = parts[marked].querySelectorAll("input")[Number(event.key) - 1];
  if (!choice || choice.disabled) return;
  choice.checked = true;
  if (marked < parts.length - 1) mark(marked + 1);
  else choice.focus();
}

parts.forEach((part, number) =>
  part.addEventListener("focusin", () => {
    if (number !== marked) mark(number, false);
  }),
);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  fault.hidden = true;
  const answer = await send(form.action, new FormData(form));
  if (answer.ok) {
    location.assign(answer.url);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  fault.textContent = page.querySelector("#fault, .fault")?.textContent ?? answer.statusText;
  // Where there was a newer verdict of one's own, the next press replaces that one.
  form.elements.shown.value = page.querySelector("#shown")?.value ?? form.elements.shown.value;
  fault.hidden = false;
});

// The right passage -------------------------------------------------------------------------------------------------

async function pick() {
  pickFault.hidden = true;
  const place = selectedPlace(pane);
  if (!place || !segment) return explain(pickFault.dataset.nothing);
  const answer = await send(`/staff/review/source/${segment}`, place);
  const said = await answer.json();
  if (said.fault) return explain(said.fault);
  const row = document.querySelector("#passage").content.cloneNode(true);
  row.querySelector("input").value = said.passage;
  row.querySelector("q").textContent = said.quote;
  row.querySelector(".place").textContent = said.place;
  document.querySelector("#passages").append(row);
  getSelection().removeAllRanges();
}

function explain(words) {
  pickFault.textContent = words;
  pickFault.hidden = false;
}

document.querySelector("#pick").addEventListener("click", pick);
document.querySelector("#passages").addEventListener("click", (event) => {
  if (event.target.closest("[data-unpick]")) event.target.closest("li").remove();
});

// Keys --------------------------------------------------------------------------------------------------------------

function press(id) {
  document.querySelector(`#${id} button`)?.click();
}

listen({
  j: () => mark(marked + 1),
  k: () => mark(marked - 1),
  1: choose,
  2: choose,
  3: choose,
  4: choose,
  p: pick,
  c: () => document.querySelector("#comment").focus(),
  s: () => form.requestSubmit(),
  t: () => press("take"),
  u: () => press("back"),
  g: () => press("golden"),
  a: () => press("approve"),
  n: () => press("next"),
  r: () => press("replay"),
  w: () => document.querySelector("#why > summary").click(),
});
scroll();
