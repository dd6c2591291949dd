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

document.body.dataset.ready = "";
