// An answer as plain text, and a conversation as Markdown: footnotes become notes at the end.

import { visible } from "./invisible.js";
import { say } from "./words.js";

const LONGEST_NAME = 60;

const onOneLine = (text) => visible(text).replace(/\s+/g, " ").trim();
const pageOf = (citation) => (citation.page ? `, ${say("page", { page: citation.page })}` : "");
const quoteOf = (citation) => `“${onOneLine(citation.quote)}”`;
const noteOf = (citation) => `${quoteOf(citation)} (${onOneLine(citation.title)}${pageOf(citation)})`;

// A note that still leads to its place where the page is not at hand: the file, and where in its text.
function wholeNoteOf(citation) {
  const place = say("characters", { start: citation.start, end: citation.end });
  return `${quoteOf(citation)} (${onOneLine(citation.title)}${pageOf(citation)}; ${onOneLine(citation.document_id)}, ${place})`;
}

export function asText(answer) {
  const notes = answer.citations.map((citation) => `[${citation.number}] ${noteOf(citation)}`);
  return notes.length ? `${visible(answer.text)}\n\n${notes.join("\n")}` : visible(answer.text);
}

// Characters that Markdown would read as markup.
const escaped = (text) => visible(text).replace(/([\\`*_{}[\]<>#|~$&])/g, "\\$1");

function understood(answer) {
  const question = onOneLine(answer.standalone_question);
  return question === onOneLine(answer.question) ? "" : `*${say("understood_as", { question: escaped(question) })}*`;
}

function nearest(answer) {
  const passages = answer.refusal?.nearest ?? [];
  if (!passages.length) return "";
  return `**${say("nearest")}**\n\n${passages.map((passage) => `- ${escaped(wholeNoteOf(passage))}`).join("\n")}`;
}

export function asMarkdown(conversation) {
  const parts = conversation.turns.map((turn, index) => {
    const heading = `## ${escaped(onOneLine(turn.question))}`;
    if (!turn.answer) return heading;
    const label = (number) => `[^${index + 1}-${number}]`;
    const body = turn.answer.statements.length
      ? turn.answer.statements.map((statement) => escaped(statement.text) + statement.citations.map(label).join("")).join("\n\n")
      : escaped(turn.answer.text);
    const notes = turn.answer.citations.map((citation) => `${label(citation.number)}: ${escaped(wholeNoteOf(citation))}`);
    return [heading, understood(turn.answer), body, nearest(turn.answer), notes.join("\n")].filter(Boolean).join("\n\n");
  });
  return `# Footnote\n\n${parts.join("\n\n")}\n`;
}

// The first question, in characters that any file system takes.
function fileName(conversation) {
  const words = visible(conversation.turns[0]?.question ?? "").toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const name = [...words.join("-")].slice(0, LONGEST_NAME).join("").replace(/-$/, "");
  return name ? `footnote-${name}.md` : "footnote.md";
}

export function download(conversation) {
  const address = URL.createObjectURL(new Blob([asMarkdown(conversation)], { type: "text/markdown" }));
  Object.assign(document.createElement("a"), { href: address, download: fileName(conversation) }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
