/* Opens, filters and finds the questions of a report. Texts are never made into markup here: bodies wait in templates. */

const list = document.querySelector("#list");
const controls = document.querySelector("#controls");
const shown = document.querySelector("#shown");
const rows = [...list.querySelectorAll(".question")].map((node) => ({ node, ...node.dataset, tags: node.dataset.tag.split(" ") }));
const total = Number(shown.dataset.of);
const counted = (number) => number.toLocaleString("en");

/* A body is parsed with the page, but costs layout only once it is wanted. */
function fill(node) {
  const template = node.querySelector(":scope > template");
  if (template) template.replaceWith(template.content);
}

function matches(row, wanted) {
  return ["verdict", "suite", "blame", "turned"].every((name) => !wanted[name] || row[name] === wanted[name])
    && (!wanted.tag || row.tags.includes(wanted.tag))
    && (!wanted.failures || "failed" in row)
    && wanted.words.every((word) => row.text.includes(word));
}

function filter() {
  const form = Object.fromEntries(new FormData(controls));
  const words = form.words.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const match = matches(row, { ...form, words });
    row.node.hidden = !match;
    count += match;
  }
  shown.textContent = count === total ? `${counted(total)} ${total === 1 ? "question" : "questions"}` : `${counted(count)} of ${counted(total)} questions`;
  document.querySelector("#nothing").hidden = count > 0;
}

function clear() {
  controls.reset();
  filter();
}

function expand(open) {
  for (const { node } of rows) {
    if (node.hidden) continue;
    if (open) fill(node);
    node.open = open;
  }
}

/* `#q-id` opens a question; `#q-id~c1` opens it at a footnote. */
function follow() {
  const address = decodeURIComponent(location.hash.slice(1));
  const node = document.getElementById(address.replace(/~c\d+$/, ""));
  if (!node || !node.matches(".question")) return;
  if (node.hidden) clear();
  fill(node);
  node.open = true;
  const target = document.getElementById(address) ?? node;
  const covered = getComputedStyle(controls).position === "sticky" ? controls.offsetHeight : 0;
  document.documentElement.style.scrollPaddingTop = `${covered}px`;
  document.querySelector(".pointed-at")?.classList.remove("pointed-at");
  target.classList.add("pointed-at");
  target.scrollIntoView({ block: target === node ? "start" : "center" });
  if (target === node) node.querySelector("summary").focus({ preventScroll: true });
}

list.addEventListener("click", (event) => {
  const summary = event.target.closest("summary");
  if (summary) fill(summary.parentElement);
});
list.addEventListener("toggle", (event) => {
  if (event.target.matches(".question") && event.target.open) fill(event.target);
}, true);
controls.addEventListener("input", filter);
controls.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("click", (event) => {
  const action = event.target.closest("[data-do]")?.dataset.do;
  if (action === "expand" || action === "collapse") expand(action === "expand");
  if (action === "clear") clear();
  const link = event.target.closest('a[href^="#q-"]');
  if (link && link.hash === location.hash) follow();
});
addEventListener("hashchange", follow);

/* A browser may bring back what was typed before the page was left. */
addEventListener("pageshow", () => {
  filter();
  follow();
  document.body.dataset.ready = "";
});
