// The words this script needs, in the page's language, and small things every part uses.

const texts = JSON.parse(document.getElementById("texts").textContent);

export const say = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const inFrame = document.body.classList.contains("widget");

// An address of ours as this page asks for it: a frame in another site has no cookie that names its language.
export function here(path) {
  const address = new URL(path, location.href);
  if (inFrame) address.searchParams.set("language", document.documentElement.lang);
  return address;
}
export const byId = (id) => document.getElementById(id);
export const isNarrow = () => matchMedia("(max-width: 899px)").matches;

// Says something to a screen reader; what comes after the words of the page may be in a language of its own.
export function announce(words, said = "", lang = "") {
  byId("announcer").replaceChildren();
  const own = element("span", { textContent: said, lang: lang || document.documentElement.lang });
  requestAnimationFrame(() => byId("announcer").replaceChildren(words, own));
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https there is no clipboard; a selection can still be copied.
    const holder = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(holder);
    holder.select();
    document.execCommand("copy");
    holder.remove();
  }
}

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
