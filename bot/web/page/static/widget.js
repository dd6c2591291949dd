// Puts a button into the corner of a page; it opens the chat in a frame. To be included as
//   <script src="https://footnote.example.org/widget.js" defer></script>
// with, if wanted, data-label="Ask us" and data-language="en", "zh-Hant" or "zh-Hans".
// Nothing but this file is loaded before the button is pressed.

(() => {
  const { src, dataset } = document.currentScript;
  const origin = new URL(src).origin;
  const words = {
    en: ["Ask", "Close", "Open the chat in a window of its own"],
    "zh-Hant": ["發問", "關閉", "在新視窗開啟問答"],
    "zh-Hans": ["提问", "关闭", "在新窗口打开问答"],
  };
  const language = dataset.language in words ? dataset.language : "en";
  const [ask, close, instead] = words[language];
  const label = dataset.label || ask;

  const make = (tag, properties, style) => {
    const made = Object.assign(document.createElement(tag), properties);
    Object.assign(made.style, style);
    return made;
  };
  const place = make("div", {}, { position: "fixed", right: "16px", bottom: "16px", zIndex: "2147483000" });
  const button = make("button", { type: "button", textContent: label, lang: language }, {
    font: "600 16px/1 system-ui, sans-serif", color: "#fdfcf9", background: "#211f1b", border: "1px solid #fdfcf9", borderRadius: "24px",
    padding: "0 20px", minHeight: "48px", minWidth: "48px", cursor: "pointer", display: "block", marginLeft: "auto",
  });
  button.setAttribute("aria-expanded", "false");
  let frame = null;
  let isThere = false;

  // A browser that refuses the frame, or finds no server, shows a grey picture in it and says nothing to this page.
  function offerWindow() {
    if (isThere) return;
    console.warn(`Footnote: no chat in this page. Is ${location.origin} named in the setting widget_origins of ${origin}?`);
    const link = make("a", { href: `${origin}/?language=${language}`, target: "_blank", rel: "noopener", textContent: instead, lang: language }, {
      font: "16px/1.4 system-ui, sans-serif", color: "#211f1b", background: "#fdfcf9", border: "1px solid #8a857a",
      borderRadius: "14px", padding: "14px 18px", marginBottom: "12px", maxWidth: "min(320px, calc(100vw - 32px))", display: "block",
    });
    frame.replaceWith(link);
    frame = link;
    if (isOpen()) link.focus();
    else hide();
  }

  function show() {
    if (!frame) {
      frame = make("iframe", { src: `${origin}/widget?language=${language}`, title: label, allow: "clipboard-write" }, {
        width: "min(400px, calc(100vw - 32px))", height: "min(640px, calc(100dvh - 96px))", border: "1px solid #8a857a",
        borderRadius: "14px", marginBottom: "12px", background: "Canvas", display: "block", colorScheme: "normal",
      });
      place.prepend(frame);
      frame.addEventListener("load", () => {
        frame.focus();
        setTimeout(offerWindow, 1000);
      });
    }
    frame.style.display = "block";
    button.textContent = close;
    button.setAttribute("aria-expanded", "true");
    frame.focus();
  }

  function hide() {
    if (frame) frame.style.display = "none";
    button.textContent = label;
    button.setAttribute("aria-expanded", "false");
    button.focus();
  }

  const isOpen = () => button.getAttribute("aria-expanded") === "true";
  button.addEventListener("click", () => (isOpen() ? hide() : show()));
  place.addEventListener("keydown", (event) => event.key === "Escape" && isOpen() && hide());
  addEventListener("message", (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== origin) return;
    if (event.data === "footnote:here") isThere = true;
    if (event.data === "footnote:close") hide(); // Escape in the frame, where nothing else was left to close
  });
  place.append(button);
  document.body.append(place);
})();
