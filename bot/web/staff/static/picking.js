// What is selected in the document, as a place: which paragraphs, and how many of their characters come before.

// Python counts code points, JavaScript UTF-16 units.
function points(text) {
  return [...text].length;
}

function before(paragraph, node, offset) {
  const range = document.createRange();
  range.selectNodeContents(paragraph);
  range.setEnd(node, offset);
  return points(range.toString());
}

export function selectedPlace(pane) {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const touched = [...pane.querySelectorAll("p[data-start]")].filter((one) => range.intersectsNode(one));
  if (!touched.length) return null;
  const [first, last] = [touched[0], touched.at(-1)];
  const start = first.contains(range.startContainer) ? before(first, range.startContainer, range.startOffset) : 0;
  const end = last.contains(range.endContainer) ? before(last, range.endContainer, range.endOffset) : points(last.textContent);
  const texts = touched.map((one) => [...one.textContent]);
  texts[texts.length - 1] = texts.at(-1).slice(0, end);
  texts[0] = texts[0].slice(start);
  const seen = texts.map((one) => one.join("")).join("\n");
  if (!seen.trim()) return null;
  return { first: first.dataset.start, start, last: last.dataset.start, end, seen };
}
