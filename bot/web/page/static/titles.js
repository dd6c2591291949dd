// The list of documents: more of it, or those with some words in their titles.

import { announce, here, say } from "./words.js";

const PAUSE_MS = 250; // between the last letter and the search
let latest = 0; // counts searches, so that a slow one cannot overwrite a later one
let timer = 0;

async function load(list, words, start) {
  const search = ++latest;
  const response = await fetch(here(`/documents?${new URLSearchParams({ words, start })}`)).catch(() => null);
  if (search !== latest || !list.isConnected) return;
  if (!response?.ok) {
    announce(say("source_fault"));
    return;
  }
  const html = await response.text();
  if (!start) list.innerHTML = html;
  else {
    const more = list.querySelector(".more");
    const before = list.children.length - 1;
    more.insertAdjacentHTML("beforebegin", html);
    more.remove();
    list.children[before]?.querySelector("a")?.focus();
  }
}

const listBeside = (node) => node.closest("section").querySelector(".titles");
const wordsBeside = (node) => node.closest("section").querySelector(".find input")?.value ?? "";

document.addEventListener("click", (event) => {
  const more = event.target.closest?.("[data-more]");
  if (more) load(listBeside(more), wordsBeside(more), more.dataset.more);
});
document.addEventListener("input", (event) => {
  if (!event.target.matches(".find input")) return;
  clearTimeout(timer);
  timer = setTimeout(() => load(listBeside(event.target), event.target.value, 0), PAUSE_MS);
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".find")) return;
  event.preventDefault();
  load(listBeside(event.target), wordsBeside(event.target), 0);
});
