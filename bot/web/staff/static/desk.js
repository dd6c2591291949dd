// What the staff's pages share: sending a change from a script. The form's token travels in a header.

export async function send(address, fields = {}) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "x-footnote-token": document.body.dataset.token },
    body: new URLSearchParams(fields),
  });
  if (answer.status === 401) location.assign(`/staff/login?ended=yes&next=${encodeURIComponent(location.pathname + location.search)}`);
  return answer;
}

// A form that deletes asks once more.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
  // Who logs out leaves no draft behind for who uses the window next.
  if (event.target.matches(".own")) sessionStorage.clear();
});

// Where typing would be lost with the page: a refusal is said in the form, which stays as it was.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("[data-kept]")) return;
  event.preventDefault();
  form.querySelector(".fault")?.remove();
  const answer = await send(form.action, new FormData(form));
  if (answer.status === 401) return;
  if (answer.ok) return location.assign(answer.url);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const said = document.createElement("p");
  said.className = "fault";
  said.setAttribute("role", "alert");
  said.textContent = page.querySelector("main .fault")?.textContent ?? `${answer.status} ${answer.statusText}`;
  form.append(said);
});

document.body.dataset.ready = "";
