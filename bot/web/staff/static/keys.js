// Keys without Ctrl, and the list of them. They rest while somebody writes, and can be switched off.

const OFF = "footnote-keys-off";
const dialog = document.querySelector("#keys");
const enabled = document.querySelector("#keys-on");

function isWriting(element) {
  return element.matches("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");
}

export function listen(deeds) {
  enabled.checked = localStorage.getItem(OFF) === null;
  enabled.addEventListener("change", () => (enabled.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
  document.querySelector("#show-keys").addEventListener("click", () => dialog.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog.open) return;
    if (isWriting(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "?") dialog.showModal();
    else if (!enabled.checked || !deeds[event.key]) return;
    else deeds[event.key](event);
    event.preventDefault();
  });
  document.body.dataset.ready = "";
}
