// One question and its answer on the screen: where each part goes as it arrives, and what its buttons do.

import { asText } from "./export.js";
import { visible } from "./invisible.js";
import { showEvidence } from "./source.js";
import { announce, copy, element, say } from "./words.js";

export function makeTurn(record) {
  const turn = document.getElementById("turn").content.firstElementChild.cloneNode(true);
  turn.dataset.turn = record.id;
  name(turn, record.question);
  return turn;
}

// The question as a heading, in its own language as far as its letters tell.
export function name(turn, question) {
  const heading = turn.querySelector(".question");
  heading.textContent = visible(question);
  if (/\p{Script=Han}/u.test(question)) heading.lang = document.documentElement.lang.startsWith("zh") ? document.documentElement.lang : "zh";
  else if (/^[\p{ASCII}“”‘’–—…]*$/u.test(question)) heading.lang = "en";
  else heading.removeAttribute("lang");
}

const place = (turn, name) => turn.querySelector(`:scope > .${name}`);

export function clear(turn) {
  for (const name of ["understood-place", "body", "progress", "footer"]) place(turn, name).replaceChildren();
}

export function showPart(turn, part) {
  const arriving = { status: showStatus, understood: showUnderstood, statement: addStatement, fault: showFault, answer: showAnswer };
  if (part.slot === "evidence") showEvidence(part.html);
  else arriving[part.slot]?.(turn, part);
}

function showStatus(turn, part) {
  place(turn, "progress").innerHTML = part.html;
}

function showUnderstood(turn, part) {
  place(turn, "understood-place").innerHTML = part.html;
}

function addStatement(turn, part) {
  const body = place(turn, "body");
  if (!body.firstElementChild) body.append(element("div", { className: "statements" }));
  const statements = body.firstElementChild;
  if (statements.childElementCount) statements.append(" ");
  statements.insertAdjacentHTML("beforeend", part.html);
  statements.lastElementChild.classList.add("arriving");
}

function showFault(turn, part) {
  place(turn, "progress").replaceChildren();
  place(turn, "body").insertAdjacentHTML("beforeend", part.html);
}

// Statements that were already shown stay the very same elements, so nothing moves and no focus is lost.
export function showAnswer(turn, part) {
  place(turn, "progress").replaceChildren();
  place(turn, "understood-place").innerHTML = part.understood;
  const body = place(turn, "body");
  for (const statement of body.querySelectorAll(".arriving")) statement.classList.remove("arriving");
  const final = element("div", { innerHTML: part.body });
  if (words(final) !== words(body)) body.replaceChildren(...final.childNodes);
  else copyClasses(final, body);
  place(turn, "footer").innerHTML = part.footer;
}

const words = (node) => node.textContent.replace(/\s+/g, " ").trim();

function copyClasses(from, to) {
  const wanted = from.querySelectorAll(".statement");
  to.querySelectorAll(".statement").forEach((statement, index) => (statement.className = wanted[index].className));
}

export function showInterruption(turn, sentence) {
  place(turn, "progress").replaceChildren();
  const again = element("button", { type: "button", className: "plain", textContent: say("again") });
  again.dataset.do = "again";
  place(turn, "body").append(element("p", { className: "fault" }, `${sentence} `, again));
}

// Buttons --------------------------------------------------------------------------------------------------------

export function press(button, record, ask) {
  const turn = button.closest(".turn");
  const actions = {
    again: () => ask(record.question, record.id),
    edit: () => edit(turn, record, ask),
    share: () => share(turn, record),
    copy: () => copy(asText(record.answer)).then(() => thank(turn, say("copied"))),
    up: () => judge(turn, { answer: record.answer, verdict: "up" }),
    down: () => {
      const form = turn.querySelector(".feedback");
      const isRated = button.getAttribute("aria-pressed") === "true";
      form.hidden = isRated && !form.hidden;
      button.setAttribute("aria-expanded", String(!form.hidden));
      if (!form.hidden) form.querySelector("input").focus();
      // The thumb counts at once; a reason is welcome after it, and many give none.
      if (!isRated) judge(turn, { answer: record.answer, verdict: "down" }, { isAsked: true });
    },
  };
  actions[button.dataset.do]?.();
}

export function sendFeedback(form, record) {
  const given = new FormData(form);
  judge(form.closest(".turn"), { answer: record.answer, verdict: "down", reason: given.get("reason"), comment: given.get("comment") });
}

// The form stays where its reader is still asked for a reason.
async function judge(turn, verdict, { isAsked = false } = {}) {
  let sent = false;
  try {
    const body = JSON.stringify(verdict);
    sent = (await fetch("/feedback", { method: "POST", headers: { "content-type": "application/json" }, body })).ok;
  } catch {
    sent = false;
  }
  if (sent) {
    const down = turn.querySelector('[data-do="down"]');
    for (const thumb of [down, turn.querySelector('[data-do="up"]')])
      thumb.setAttribute("aria-pressed", String(verdict.verdict === thumb.dataset.do));
    if (!isAsked) {
      turn.querySelector(".feedback").hidden = true;
      down.setAttribute("aria-expanded", "false");
      if (document.activeElement === document.body) down.focus();
    }
  }
  thank(turn, say(sent ? (isAsked ? "noted" : "thanks") : "not_sent"));
}

// A link to this answer, which leads to the answer until its reader takes it back there.
async function share(turn, record) {
  const body = JSON.stringify({ id: record.answer.id });
  const response = await fetch("/answer", { method: "POST", headers: { "content-type": "application/json" }, body }).catch(() => null);
  if (!response?.ok) return thank(turn, say("no_link"));
  const { path } = await response.json();
  await copy(new URL(path, location.href).href);
  thank(turn, say("link_copied"));
  turn.querySelector(".thanks").append(" ", element("a", { href: path, target: "_blank", rel: "noopener", textContent: say("shared_link") }));
}

function thank(turn, sentence) {
  announce(sentence);
  turn.querySelector(".thanks").textContent = sentence;
}

function edit(turn, record, ask) {
  const line = turn.querySelector(".understood");
  const field = element("input", { type: "text", value: line.querySelector(".words").textContent });
  field.setAttribute("aria-label", say("question_understood"));
  const send = element("button", { type: "submit", className: "button", textContent: say("again") });
  const cancel = element("button", { type: "button", className: "plain", textContent: say("cancel") });
  const form = element("form", { className: "edit" }, field, send, cancel);
  const leave = () => {
    form.replaceWith(line);
    line.querySelector("button").focus();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim()) ask(field.value.trim(), record.id);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    leave();
  });
  cancel.addEventListener("click", leave);
  line.replaceWith(form);
  field.focus();
}
