// Conversations, kept in this browser only: [{id, turns: [{id, question, answer}]}], newest first.
// An answer is the Answer object as the server sent it, or null while there is none.

const CONVERSATIONS = "footnote.conversations";
const CURRENT = "footnote.current";
const MOST_CONVERSATIONS = 50;
const MOST_TURNS = 100;

export const newId = () => Date.now().toString(36) + Math.random().toString(36).slice(2, 8);

function isConversation(value) {
  return typeof value?.id === "string" && Array.isArray(value.turns) && value.turns.every((turn) => typeof turn?.question === "string");
}

export function conversations() {
  try {
    const stored = JSON.parse(localStorage.getItem(CONVERSATIONS)) ?? [];
    return stored.filter(isConversation);
  } catch {
    return [];
  }
}

function write(list) {
  let kept = list.slice(0, MOST_CONVERSATIONS);
  while (kept.length) {
    try {
      localStorage.setItem(CONVERSATIONS, JSON.stringify(kept));
      return;
    } catch {
      kept = kept.slice(0, -1); // full: the oldest goes
    }
  }
  try {
    localStorage.removeItem(CONVERSATIONS);
  } catch {
    // storage is switched off: the conversation lives as long as the page
  }
}

export function save(conversation) {
  conversation.turns = conversation.turns.slice(-MOST_TURNS);
  const others = conversations().filter((other) => other.id !== conversation.id);
  write(conversation.turns.length ? [conversation, ...others] : others);
  remember(conversation.id);
}

export function remove(id) {
  write(conversations().filter((conversation) => conversation.id !== id));
}

export function remember(id) {
  try {
    localStorage.setItem(CURRENT, id);
  } catch {
    // as above
  }
}

export function current() {
  let id = null;
  try {
    id = localStorage.getItem(CURRENT);
  } catch {
    // as above
  }
  return conversations().find((conversation) => conversation.id === id) ?? { id: newId(), turns: [] };
}
