// An answer as plain text, and a conversation as Markdown: footnotes become notes at the end.

import { say } from "./words.js";

const noteOf = (citation) => {
  const page = citation.page ? `, ${say("page", { page: citation.page })}` : "";
  return `“${citation.quote.replace(/\s+/g, " ").trim()}” (${citation.title}${page})`;
};

export function asText(answer) {
  const notes = answer.citations.map((citation) => `[${citation.number}] ${noteOf(citation)}`);
  return notes.length ? `${answer.text}\n\n${notes.join("\n")}` : answer.text;
}

// Characters that Markdown would read as markup.
const escaped = (text) => text.replace(/([\\`*_{}[\]<>#|])/g, "\\$1");

export function asMarkdown(conversation) {
  const parts = conversation.turns.map((turn, index) => {
    const heading = `## ${escaped(turn.question.replace(/\s+/g, " "))}`;
    if (!turn.answer) return heading;
    const label = (number) => `[^${index + 1}-${number}]`;
    const body = turn.answer.statements.length
      ? turn.answer.statements.map((statement) => escaped(statement.text) + statement.citations.map(label).join("")).join("\n\n")
      : escaped(turn.answer.text);
    const notes = turn.answer.citations.map((citation) => `${label(citation.number)}: ${escaped(noteOf(citation))}`);
    return [heading, body, notes.join("\n")].filter(Boolean).join("\n\n");
  });
  return `# Footnote\n\n${parts.join("\n\n")}\n`;
}

export function download(conversation) {
  const address = URL.createObjectURL(new Blob([asMarkdown(conversation)], { type: "text/markdown" }));
  Object.assign(document.createElement("a"), { href: address, download: "footnote.md" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
