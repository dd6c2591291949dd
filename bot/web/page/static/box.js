// The question box. Gradio's takes a while to arrive; until then a plain one takes its place, and what was written
// in it, where the cursor stood, and what was asked go over to Gradio's.

import { announce, byId, element, isNarrow, say } from "./words.js";

const LIMIT = Number(document.body.dataset.limit);
const DRAFT = "footnote.draft";
const opening = byId("opening");
const first = opening.querySelector("textarea");
const arrived = () => document.querySelector("#question textarea");

export const isReady = () => document.body.dataset.ready === "true";
export const box = () => (isReady() ? arrived() : first);
export const written = () => box().value.trim();
export const fits = (question) => question && question.length <= LIMIT;

export function setBox(text) {
  box().value = text;
  box().dispatchEvent(new Event("input", { bubbles: true }));
}

function count() {
  const left = LIMIT - written().length;
  const near = left < LIMIT / 10 || left < 50;
  const wasOver = byId("counter").classList.contains("over");
  byId("counter").textContent = near ? say(left < 0 ? "too_long" : "left", { count: Math.abs(left) }) : "";
  byId("counter").classList.toggle("over", left < 0);
  if (left < 0 && !wasOver) announce(byId("counter").textContent);
  try {
    sessionStorage.setItem(DRAFT, box().value);
  } catch {
    // a draft is only a convenience
  }
}

function draft() {
  try {
    return sessionStorage.getItem(DRAFT);
  } catch {
    return "";
  }
}

// Calls `ready` once Gradio's box is there, and `ask` with what is sent before that.
export function setUpBox({ ask, ready }) {
  if (draft() && !first.value) first.value = draft();
  count();
  first.addEventListener("input", () => {
    first.rows = Math.min(8, first.value.split("\n").length);
    count();
  });
  first.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    opening.requestSubmit();
  });
  opening.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = written();
    if (!fits(question) || !ask(question)) return;
    setBox("");
  });
  if (!isNarrow() && document.activeElement === document.body) first.focus();
  performance.mark("box"); // from here on a question can be written and sent

  const watcher = new MutationObserver(() => {
    if (!arrived() || !byId("send") || !byId("stop")) return;
    watcher.disconnect();
    takeOver(ready);
  });
  watcher.observe(byId("ask"), { childList: true, subtree: true });
  // Gradio would look for itself below the address of this page, which is another one in the widget.
  document.querySelector("gradio-app").setAttribute("src", location.origin);
  import(document.body.dataset.composer).catch(() => {
    opening.after(element("p", { className: "fault", textContent: say("no_box") }));
  });
}

let composing = false; // a word of Chinese, say, that is not finished: it would be torn apart
first.addEventListener("compositionstart", () => (composing = true));
first.addEventListener("compositionend", () => (composing = false));

function takeOver(ready) {
  if (composing) {
    first.addEventListener("compositionend", () => setTimeout(takeOver, 0, ready), { once: true });
    return;
  }
  const focused = document.activeElement === first;
  const { value, selectionStart, selectionEnd } = first;
  arrived().setAttribute("aria-label", say("question"));
  arrived().setAttribute("aria-describedby", "counter");
  arrived().placeholder = say("placeholder");
  byId("send").setAttribute("aria-label", say("send"));
  byId("stop").setAttribute("aria-label", say("stop"));
  document.querySelectorAll("#ask main").forEach(unwrap);
  document.body.dataset.ready = "true";
  arrived().addEventListener("input", count);
  if (value) setBox(value);
  if (focused) {
    arrived().focus({ preventScroll: true });
    arrived().setSelectionRange(selectionStart, selectionEnd);
  }
  ready();
}

// The page has one main part, and it is not the question box.
function unwrap(main) {
  const plain = document.createElement("div");
  plain.append(...main.childNodes);
  main.replaceWith(plain);
}
