// The queue by keys: one row is marked, and the marked one is opened or taken.

import { listen } from "./keys.js";

const rows = [...document.querySelectorAll(".queue > li")];
let marked = -1;

function mark(number) {
  if (!rows.length) return;
  rows[marked]?.classList.remove("marked");
  marked = Math.max(0, Math.min(rows.length - 1, number));
  rows[marked].classList.add("marked");
  rows[marked].querySelector("a").focus();
}

document.querySelector(".queue")?.addEventListener("focusin", (event) => {
  const number = rows.indexOf(event.target.closest("li"));
  if (number !== marked) mark(number);
});

function take() {
  if (marked < 0) return;
  const form = document.querySelector("#take");
  form.action = `/staff/review/${encodeURIComponent(rows[marked].dataset.id)}/take${location.search}`;
  form.submit();
}

listen({
  j: () => mark(marked + 1),
  k: () => mark(marked - 1),
  Enter: (event) => (event.target.closest("a, button, summary") ?? rows[marked]?.querySelector("a"))?.click(),
  t: take,
  n: () => document.querySelector("#take-next").click(),
  "/": () => document.querySelector("#words").focus(),
});
