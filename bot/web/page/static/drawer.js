// The list of conversations kept in this browser.

import { download } from "./export.js";
import { visible } from "./invisible.js";
import * as store from "./store.js";
import { announce, byId, element, say } from "./words.js";

const SURE_AFTER_MS = 400; // a double click, or a key held down, is no second press
const SURE_WITHIN_MS = 5000;

const drawer = byId("drawer");
const opener = byId("open-drawer");

export function setUpDrawer({ current, show, begin }) {
  byId("download").textContent = say("download");
  byId("print").textContent = say("print");
  askOnce(byId("forget"), { words: say("forget"), act: () => forget(begin) });
  opener.addEventListener("click", () => (drawer.hidden ? open(current, show, begin) : close()));
  byId("close-drawer").addEventListener("click", close);
  byId("download").addEventListener("click", () => download(current()));
  byId("print").addEventListener("click", () => {
    close();
    print();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!drawer.contains(event.target) && !opener.contains(event.target)) close({ focus: false });
  });
}

function open(current, show, begin) {
  list(current, show, begin);
  drawer.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  byId("close-drawer").focus();
}

export function close({ focus = true } = {}) {
  if (drawer.hidden) return false;
  drawer.hidden = true;
  opener.setAttribute("aria-expanded", "false");
  if (focus) opener.focus();
  return true;
}

function list(current, show, begin) {
  const stored = store.conversations();
  byId("download").disabled = byId("print").disabled = !current().turns.length;
  const rows = stored.map((conversation) => {
    const question = visible(conversation.turns[0]?.question ?? "") || say("untitled");
    const name = element("button", { type: "button", className: "open", dir: "auto", textContent: question.slice(0, 90) });
    if (conversation.id === current().id) name.setAttribute("aria-current", "true");
    name.addEventListener("click", () => {
      close({ focus: false });
      show(conversation);
    });
    const remove = removeButton(question.slice(0, 60), () => {
      store.remove(conversation.id);
      fetch(`/conversation/${encodeURIComponent(conversation.id)}`, { method: "DELETE", keepalive: true }).catch(() => null);
      announce(say("removed"));
      if (conversation.id === current().id) begin();
      list(current, show, begin);
      byId("close-drawer").focus();
    });
    return element("li", {}, name, remove);
  });
  byId("conversations").replaceChildren(
    ...(rows.length ? rows : [element("li", { className: "none", textContent: say("no_conversations") })]),
  );
}

function removeButton(question, act) {
  const button = element("button", { type: "button", className: "tool" });
  askOnce(button, { html: byId("remove").innerHTML, label: say("remove", { question }), about: question, act });
  return button;
}

// Nothing brings back what is deleted, so the button asks once, in its place.
function askOnce(button, { html, words, label, about = "", act }) {
  let asked = null; // when it asked, and until when it stays asking
  const rest = () => {
    clearTimeout(asked?.timer);
    asked = null;
    button.classList.remove("sure");
    if (html) button.innerHTML = html;
    else button.textContent = words;
    if (label) button.setAttribute("aria-label", label);
    else button.removeAttribute("aria-label");
  };
  button.addEventListener("click", () => {
    if (!asked) {
      asked = { at: performance.now(), timer: setTimeout(rest, SURE_WITHIN_MS) };
      button.classList.add("sure");
      button.textContent = say("sure");
      button.setAttribute("aria-label", `${say("sure")} ${about || words}`);
      announce(say("sure"));
    } else if (performance.now() - asked.at > SURE_AFTER_MS) {
      rest();
      act();
    }
  });
  rest();
}

// What the server keeps of this reader, and what this browser keeps.
async function forget(begin) {
  const answer = await fetch("/my-data", { method: "DELETE" }).catch(() => null);
  if (!answer?.ok) return announce(say("not_sent"));
  for (const conversation of store.conversations()) store.remove(conversation.id);
  begin();
  close();
  announce(say("forgotten"));
}
