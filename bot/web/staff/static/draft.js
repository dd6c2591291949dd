// What is typed into the form of a verdict outlives a session that ends, in this window, until it is saved. The draft
// knows which verdict it was written beside, so that it replaces no later one unasked.

const KEY = `footnote-draft ${document.querySelector(".own a").textContent} ${location.pathname}`;

export function keep(form) {
  const rows = [...form.querySelectorAll("#passages > li")];
  const draft = {
    shown: form.elements.shown.value,
    chosen: [...form.querySelectorAll("input:checked")].map((one) => [one.name, one.value]),
    passages: rows.map((row) => ({
      passage: row.querySelector("input").value,
      quote: row.querySelector("q").textContent,
      place: row.querySelector(".place").textContent,
    })),
    comment: form.elements.comment.value,
  };
  sessionStorage.setItem(KEY, JSON.stringify(draft));
}

export function forget() {
  sessionStorage.removeItem(KEY);
}

// Returns whether there was a draft; `add` puts a picked passage into the form.
export function restore(form, add) {
  const draft = JSON.parse(sessionStorage.getItem(KEY));
  if (!draft) return false;
  form.elements.shown.value = draft.shown;
  for (const [name, value] of draft.chosen)
    for (const one of form.querySelectorAll("input[type=radio]")) if (one.name === name && one.value === value) one.checked = true;
  form.querySelector("#passages").replaceChildren();
  draft.passages.forEach(add);
  form.elements.comment.value = draft.comment;
  return true;
}
