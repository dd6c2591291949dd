// What bot/web/page/render_html.py takes out of everything the server shows, taken out of what the page shows by itself.
// A test holds the two to the same characters.

const INVISIBLE = new RegExp(
  "[" +
    "\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f" +
    "\\u200b\\u2060-\\u2064\\ufeff\\u180e\\u115f\\u1160\\u3164\\uffa0" +
    "\\u202a-\\u202e\\u2066-\\u2069\\u061c" +
    "\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}" +
    "]" +
    "|(?<=[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}])[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]+",
  "gu",
);

export const visible = (text) => text.replace(INVISIBLE, "").replace(/\p{Surrogate}/gu, "\ufffd");
