/* Watches the run that is being made; without this script a reload shows the same. */

const PAUSE = 1000;
const live = document.querySelector("[data-progress]");

async function look() {
  let found;
  try {
    found = await (await fetch(live.dataset.progress, { cache: "no-store" })).json();
  } catch {
    setTimeout(look, 5 * PAUSE); // The server may be back soon.
    return;
  }
  if (found.state !== "running") {
    // Not a reload: that would send a form again which this page may be the reply to.
    location.replace(location.pathname + location.search);
    return;
  }
  const bar = live.querySelector("progress");
  if (found.total) bar.max = found.total;
  bar.value = found.done;
  live.querySelector(".words").textContent = found.words;
  setTimeout(look, PAUSE);
}

if (live) setTimeout(look, PAUSE);
document.body.dataset.ready = "";
