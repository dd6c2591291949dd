// The list of conversations kept in this browser.

import { download } from "./export.js";
import * as store from "./store.js";
import { announce, byId, element, say } from "./words.js";

const drawer = byId("drawer");
const opener = byId("open-drawer");

export function setUpDrawer({ current, show, begin }) {
  byId("download").textContent = say("download");
  byId("print").textContent = say("print");
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
    const question = conversation.turns[0]?.question || say("untitled");
    const name = element("button", { type: "button", className: "open", dir: "auto", textContent: question.slice(0, 90) });
    if (conversation.id === current().id) name.setAttribute("aria-current", "true");
    name.addEventListener("click", () => {
      close({ focus: false });
      show(conversation);
    });
    const remove = element("button", { type: "button", className: "tool", innerHTML: byId("remove").innerHTML });
    remove.setAttribute("aria-label", say("remove", { question: question.slice(0, 60) }));
    remove.addEventListener("click", () => {
      store.remove(conversation.id);
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
