// The source beside the conversation: opens what a footnote links to, steps through an answer's footnotes,
// and previews the quote of the footnote under the pointer or the focus.

import { announce, byId, copy, element, here, isNarrow, say } from "./words.js";

const side = byId("source");
const pane = byId("pane");
const steps = byId("steps");
const cross = byId("close-source");
const atFirst = pane.innerHTML;

let links = []; // the footnotes, or passages, that previous and next step through
let opened = null; // the link that is open now
let latest = 0; // counts requests, so that a slow one cannot overwrite a later one

export async function open(link, { focus = false } = {}) {
  const request = ++latest;
  const address = here(link.href);
  address.searchParams.set("fragment", "1");
  let html = "";
  try {
    const response = await fetch(address);
    html = await response.text();
    if (!response.ok) html = new DOMParser().parseFromString(html, "text/html").querySelector("main").innerHTML;
  } catch {
    html = "";
  }
  if (request !== latest) return;
  if (link.dataset.open !== "again") choose(link);
  if (html) pane.innerHTML = html;
  else pane.replaceChildren(element("p", { className: "fault", textContent: say("source_fault") }));
  reveal({ focus });
  const mark = pane.querySelector("#cited");
  pane.scrollTop = 0;
  if (mark) pane.scrollTop = mark.getBoundingClientRect().top - pane.getBoundingClientRect().top - pane.clientHeight * 0.3;
}

function choose(link) {
  opened?.removeAttribute("aria-current");
  const group = link.closest(".statements, .nearest, .passages");
  links = group ? [...group.querySelectorAll("a[data-open]")].filter(firstOfItsPlace) : [];
  opened = links.find((other) => other.href === link.href) ?? link;
  if (opened.classList.contains("footnote")) opened.setAttribute("aria-current", "true");
  const index = links.indexOf(opened);
  const pressed = document.activeElement;
  byId("position").textContent = say("position", { position: index + 1, count: links.length });
  byId("previous").disabled = index <= 0;
  byId("next").disabled = index < 0 || index >= links.length - 1;
  steps.hidden = links.length < 2;
  // A button that has just gone out of use must not take the focus with it.
  if (pressed.disabled) (pressed === byId("next") ? byId("previous") : byId("next")).focus();
}

const firstOfItsPlace = (link, index, all) => all.findIndex((other) => other.href === link.href) === index;

function reveal({ focus }) {
  cross.hidden = false;
  side.classList.add("open");
  if (focus || isNarrow()) pane.focus({ preventScroll: true });
}

export function close() {
  if (cross.hidden) return false;
  side.classList.remove("open");
  if (side.contains(document.activeElement) && opened?.isConnected) opened.focus({ preventScroll: true });
  rest();
  return true;
}

// What the pane shows when nothing is open: what the documents are.
export function rest() {
  latest += 1;
  opened?.removeAttribute("aria-current");
  opened = null;
  cross.hidden = steps.hidden = true;
  side.classList.remove("open");
  pane.innerHTML = atFirst;
}

export function showEvidence(html) {
  if (isBeingRead()) return;
  rest();
  pane.innerHTML = html;
  pane.classList.remove("arriving");
  void pane.offsetWidth; // so that the animation starts again
  pane.classList.add("arriving");
}

export const isBeingRead = () => side.contains(document.activeElement) || (side.matches(":hover") && !cross.hidden);

// Preview --------------------------------------------------------------------------------------------------------

const preview = byId("preview");

function showPreview(link) {
  const quote = link.dataset.quote;
  preview.replaceChildren(
    element("q", { dir: "auto", lang: link.dataset.lang ?? "", textContent: quote.length > 320 ? quote.slice(0, 320) + "…" : quote }),
    element("span", { className: "place", textContent: link.getAttribute("aria-label") }),
  );
  preview.hidden = false;
  place(link);
}

function place(link) {
  const at = link.getBoundingClientRect();
  const size = preview.getBoundingClientRect();
  const left = Math.max(16, Math.min(at.left - 24, innerWidth - size.width - 16));
  const above = at.top - size.height - 12;
  preview.style.left = `${left}px`;
  preview.style.top = `${above > 8 ? above : at.bottom + 12}px`;
}

export function hidePreview() {
  const shown = !preview.hidden;
  preview.hidden = true;
  return shown;
}

const canHover = matchMedia("(hover: hover)");
document.addEventListener("mouseover", (event) => {
  const link = event.target.closest?.(".footnote");
  if (link && canHover.matches) showPreview(link);
  else if (!focused()) hidePreview();
});
document.addEventListener("focusin", (event) => {
  if (event.target.matches?.(".footnote:focus-visible")) showPreview(event.target);
  else hidePreview();
});
// An answer that is still arriving scrolls: that must not take the quote away from someone who reads it by keyboard.
const focused = () => document.querySelector(".footnote:focus-visible");
const follow = () => (focused() && !preview.hidden ? place(focused()) : hidePreview());
document.addEventListener("scroll", follow, { capture: true, passive: true });

// Events ---------------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-open]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  hidePreview();
  open(link, { focus: event.detail === 0 });
});
byId("previous").addEventListener("click", () => open(links[links.indexOf(opened) - 1]));
byId("next").addEventListener("click", () => open(links[links.indexOf(opened) + 1]));
byId("close-source").addEventListener("click", close);
pane.addEventListener("click", (event) => {
  const button = event.target.closest?.('[data-do="copy-link"]');
  if (!button) return;
  copy(new URL(button.closest(".document").dataset.place, location.href).href);
  button.lastChild.textContent = say("copied");
  announce(say("copied"));
});
