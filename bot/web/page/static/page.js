// The conversation. Gradio owns the question box and the event that answers; it calls the functions of
// `window.footnote` (see bot/web/page/composer.py), and everything the reader sees is put on the page from here.

import { box, fits, isReady, setBox, setUpBox, written } from "./box.js";
import { close as closeDrawer, setUpDrawer } from "./drawer.js";
import { visible } from "./invisible.js";
import * as source from "./source.js";
import * as store from "./store.js";
import "./titles.js";
import { clear, makeTurn, name, press, sendFeedback, showAnswer, showInterruption, showPart } from "./turn.js";
import { announce, byId, element, here, isNarrow, say } from "./words.js";

const HISTORY_TURNS = 12;
const HISTORY_CHARACTERS = 4000;
const root = document.documentElement;
const language = root.lang;
const turns = byId("turns");

let conversation = store.current();
let working = null; // {record, turn, shown}: the question being answered, and how many parts of it are on the page
let asked = null; // {question, replaces}: a question that does not come from the box
let early = null; // the same, before Gradio was there; its turn is on the page already

// While the language model is being fetched, says how far it is.
async function watchModel() {
  const line = byId("model");
  const response = await fetch(here("/model")).catch(() => null);
  const fetching = response?.status === 200;
  if (fetching) line.textContent = await response.text();
  line.hidden = !fetching;
  if (fetching) setTimeout(watchModel, 3000);
}
watchModel();

// What Gradio keeps to itself: the sentence of a request that is turned away, and that the connection broke.
let turnedAway = null;
const plainFetch = window.fetch;
window.fetch = async (...request) => {
  const response = await plainFetch(...request);
  if ([413, 429, 503].includes(response.status))
    turnedAway = await response.clone().json().then((answer) => answer.detail, () => null);
  else if (response.url.includes("/queue/data?")) noticeItsBreak(response.clone().body);
  return response;
};

async function noticeItsBreak(stream) {
  try {
    await stream.pipeTo(new WritableStream());
  } catch (error) {
    if (error.name !== "AbortError") window.footnote.settle();
  }
}

// Called by Gradio -------------------------------------------------------------------------------------------------

window.footnote = {
  // Puts the question on the page and returns what the server needs to answer it.
  begin(typed) {
    const { question, replaces } = asked ?? { question: (typed ?? "").trim(), replaces: null };
    const fromBox = !asked;
    asked = null;
    if (!isUsable(question)) return ["", {}];
    if (fromBox) setBox("");
    const { record, turn } = replaces ? again(replaces, question) : added(question);
    working = { record, turn, shown: 0 };
    document.body.classList.add("working");
    store.save(conversation);
    return [question, { turn: record.id, conversation: conversation.id, language, history: historyBefore(record) }];
  },

  receive(value) {
    if (!working || value?.turn !== working.record.id) return;
    const { record, turn } = working;
    document.body.classList.add("stoppable"); // the server has begun, so it can be told to stop
    if (working.stopping) byId("stop").click();
    for (const part of value.parts.slice(working?.shown ?? Infinity)) {
      showPart(turn, part);
      working.shown += 1;
      if (part.slot === "answer") finish(record, turn, part.answer);
      else if (part.slot === "fault") fail(turn);
    }
  },

  // The event is over. What it yielded last may still be on its way.
  settle() {
    const was = working;
    const sentence = turnedAway ?? say("interrupted");
    turnedAway = null;
    setTimeout(() => was && working === was && interrupt(sentence), 400);
  },

  stopped() {
    if (working) interrupt(say("stopped"));
  },
};

const isUsable = (question) => !working && !early && fits(question);

function added(question) {
  const record = { id: store.newId(), question, answer: null };
  conversation.turns.push(record);
  byId("welcome").hidden = true;
  const turn = makeTurn(record);
  turns.append(turn);
  turn.querySelector(".question").scrollIntoView({ block: "start" });
  return { record, turn };
}

function again(id, question) {
  const record = conversation.turns.find((other) => other.id === id);
  const turn = turns.querySelector(`[data-turn="${CSS.escape(id)}"]`);
  Object.assign(record, { question, answer: null });
  name(turn, question);
  clear(turn);
  return { record, turn };
}

function historyBefore(record) {
  const before = conversation.turns.slice(0, conversation.turns.indexOf(record)).filter((turn) => turn.answer);
  return before
    .flatMap((turn) => [
      { role: "user", content: turn.question.slice(0, HISTORY_CHARACTERS) },
      { role: "assistant", content: turn.answer.text.slice(0, HISTORY_CHARACTERS) },
    ])
    .slice(-HISTORY_TURNS);
}

function finish(record, turn, answer) {
  record.answer = answer;
  store.save(conversation);
  end();
  const lang = turn.querySelector(".body .words")?.lang;
  announce(`${say(answer.kind === "refusal" ? "no_answer" : "answer_ready")}: `, visible(answer.text).replace(/\s*\[\d+\]/g, ""), lang);
  const first = turn.querySelector(".footnote");
  if (first && !isNarrow() && !source.isBeingRead()) source.open(first);
}

function fail(turn) {
  end();
  const words = turn.querySelector(".fault").firstChild;
  announce("", words.textContent.trim(), words.lang);
}

function interrupt(sentence) {
  showInterruption(working.turn, sentence);
  announce(sentence);
  end();
}

function stop() {
  if (document.body.classList.contains("stoppable")) byId("stop").click();
  else working.stopping = true;
}

function end() {
  working = null;
  document.body.classList.remove("working", "stoppable");
}

// Conversations ----------------------------------------------------------------------------------------------------

async function show(stored) {
  if (working) stop();
  early = null;
  conversation = stored;
  store.remember(stored.id);
  source.rest();
  byId("welcome").hidden = stored.turns.length > 0;
  turns.replaceChildren(...stored.turns.map(makeTurn));
  const answered = stored.turns.filter((turn) => turn.answer);
  let parts = [];
  try {
    const body = JSON.stringify({ answers: answered.map((turn) => turn.answer) });
    const response = await fetch(here("/conversation"), { method: "POST", headers: { "content-type": "application/json" }, body });
    if (response.ok) parts = await response.json();
  } catch {
    parts = [];
  }
  stored.turns.forEach((record) => {
    const turn = turns.querySelector(`[data-turn="${CSS.escape(record.id)}"]`);
    const part = parts[answered.indexOf(record)];
    if (part) showAnswer(turn, part);
    else if (turn) showInterruption(turn, say("interrupted"));
  });
  turns.lastElementChild?.querySelector(".question").scrollIntoView({ block: "start" });
}

function begin() {
  show({ id: store.newId(), turns: [] });
  box().focus();
}

function ask(question, replaces = null) {
  if (working || early) return false;
  if (!isReady()) {
    const { record, turn } = replaces ? again(replaces, question) : added(question);
    early = { question, replaces: record.id };
    store.save(conversation);
    turn.querySelector(".progress").append(element("p", { className: "status", textContent: say("soon") }));
    return true;
  }
  asked = { question, replaces };
  byId("send").click();
  return true;
}

function askEarly() {
  const was = early;
  early = null;
  if (was) ask(was.question, was.replaces);
}

// Gradio sets the language of the browser; the reader may have chosen another.
new MutationObserver(() => root.lang !== language && (root.lang = language)).observe(root, { attributeFilter: ["lang"] });

// Everything else ----------------------------------------------------------------------------------------------------

// Enter also ends the composition of a Chinese word; only the next one sends the question. What cannot be asked now
// is not sent at all.
for (const kind of ["keydown", "keypress"])
  document.addEventListener(kind, (event) => {
    if (event.key !== "Enter") return;
    if (event.isComposing || event.keyCode === 229) event.stopImmediatePropagation();
    else if (isReady() && event.target === box() && !event.shiftKey && !isUsable(written())) refuse(event);
  }, true);
document.addEventListener("click", (event) => {
  if (event.target.closest?.("#send") && !isUsable(asked ? asked.question : written())) refuse(event);
}, true);

function refuse(event) {
  asked = null;
  event.preventDefault();
  event.stopImmediatePropagation();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  if (working) stop();
  else if (early) giveUp();
  else if (!(source.hidePreview() || closeDrawer() || source.close())) tellSite("close");
});

// The site around the widget (see widget.js) is told that it is there, and that it wants to be closed.
function tellSite(what) {
  if (parent !== window) parent.postMessage(`footnote:${what}`, "*");
}
tellSite("here");

const recordOf = (node) => conversation.turns.find((record) => record.id === node.closest(".turn")?.dataset.turn);

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (button?.matches("[data-ask]")) ask(button.textContent.trim());
  else if (button?.closest(".turn") && button.dataset.do) press(button, recordOf(button), ask);
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".feedback")) return;
  event.preventDefault();
  sendFeedback(event.target, recordOf(event.target));
});

byId("new").addEventListener("click", begin);
byId("theme").addEventListener("click", () => {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
});

// A question that was still waiting for the page is not asked any more.
function giveUp() {
  const turn = turns.querySelector(`[data-turn="${CSS.escape(early.replaces)}"]`);
  early = null;
  showInterruption(turn, say("stopped"));
}

async function showExamples() {
  const examples = byId("examples");
  if (!examples) return;
  const response = await fetch(here("/examples")).catch(() => null);
  if (response?.ok) examples.innerHTML = await response.text();
  examples.firstElementChild?.classList.add("arriving");
}

setUpDrawer({ current: () => conversation, show, begin });
setUpBox({ ask, ready: askEarly });
showExamples();
if (conversation.turns.length) show(conversation);
