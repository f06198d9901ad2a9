// A small Markdown, built as DOM nodes: paragraphs, headings, lists, quotes, code, bold, italic.
// Links stay text on purpose: nothing a model writes can be clicked by mistake.

import { el } from "./dom.js";

const FENCE = /^\s{0,3}(```+|~~~+)\s*([\w+#.-]*)\s*$/;
const HEADING = /^(#{1,6})\s+(.+?)\s*#*$/;
const BULLET = /^(\s*)[-*+•]\s+(.*)$/;
const NUMBERED = /^(\s*)(\d{1,9})[.)]\s+(.*)$/;
const QUOTE = /^\s{0,3}>\s?(.*)$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;

/** Split `text` into blocks {kind, lines, info}. An unclosed fence is a code block still being written. */
function blocks(text) {
  const found = [];
  let open = null;
  const start = (kind, lines, info = "") => found.push((open = { kind, lines, info }));
  for (const line of text.replaceAll("\r\n", "\n").split("\n")) {
    if (open?.kind === "code") {
      if (closes(line, open.info.fence)) open = null;
      else open.lines.push(line);
      continue;
    }
    const fence = FENCE.exec(line);
    const kind = fence ? "code" : kindOf(line);
    if (fence) start("code", [], { fence: fence[1], language: fence[2] });
    else if (kind === "blank") open = open?.kind === "list" ? open : null;
    else if (open && continues(open, kind, line)) open.lines.push(line);
    else start(kind, [line]);
  }
  return found;
}

function kindOf(line) {
  if (!line.trim()) return "blank";
  if (HEADING.test(line)) return "heading";
  if (RULE.test(line)) return "rule";
  if (BULLET.test(line) || NUMBERED.test(line)) return "list";
  if (QUOTE.test(line)) return "quote";
  return "paragraph";
}

function continues(block, kind, line) {
  if (block.kind === "list") return kind === "list" || (kind === "paragraph" && /^\s{2,}/.test(line));
  return block.kind === kind && (kind === "paragraph" || kind === "quote");
}

const closes = (line, fence) => line.trim().startsWith(fence) && !line.trim().replaceAll(fence[0], "");

const RENDER = {
  code: ({ lines, info }) =>
    el("pre", { tabindex: "0", "aria-label": info.language ? `Code, ${info.language}` : "Code" },
      el("code", {}, lines.join("\n"))),
  heading: ({ lines: [line] }) => {
    const [, marks, title] = HEADING.exec(line);
    return el(marks.length > 2 ? "h4" : "h3", {}, inline(title));
  },
  rule: () => el("hr"),
  quote: ({ lines }) => el("blockquote", {}, inline(lines.map((line) => QUOTE.exec(line)[1]).join("\n"))),
  list: ({ lines }) => list(items(lines)),
  paragraph: ({ lines }) => el("p", {}, inline(lines.join("\n"))),
};

function items(lines) {
  const entries = [];
  for (const line of lines) {
    const bullet = BULLET.exec(line);
    const numbered = bullet ? null : NUMBERED.exec(line);
    if (bullet) entries.push({ depth: bullet[1].length, text: bullet[2], ordered: false });
    else if (numbered) entries.push({ depth: numbered[1].length, text: numbered[3], ordered: true, start: Number(numbered[2]) });
    else if (entries.length) entries.at(-1).text += `\n${line.trim()}`;
  }
  return entries;
}

function list(entries) {
  const [first] = entries;
  const node = el(first.ordered ? "ol" : "ul", first.ordered && first.start !== 1 ? { start: first.start } : {});
  for (let index = 0; index < entries.length; ) {
    const item = el("li", {}, inline(entries[index].text));
    let next = index + 1;
    while (next < entries.length && entries[next].depth > first.depth) next += 1;
    if (next > index + 1) item.append(list(entries.slice(index + 1, next)));
    node.append(item);
    index = next;
  }
  return node;
}

const SPANS = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|\*\*(\S(?:[\s\S]*?\S)?)\*\*|\*([^\s*](?:[^*\n]*[^\s*])?)\*/g;

function inline(text) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(SPANS)) {
    if (match.index > last) nodes.push(text.slice(last, match.index));
    last = match.index + match[0].length;
    if (match[1]) nodes.push(el("code", {}, match[2].trim() || match[2]));
    else if (match[3]) nodes.push(el("strong", {}, inline(match[3])));
    else nodes.push(el("em", {}, match[4]));
  }
  if (last < text.length) nodes.push(text.slice(last));
  return nodes;
}

/** Shows a growing text in `container`, rebuilding only the blocks that changed. */
export class MarkdownView {
  #container;
  #shown = [];

  constructor(container) {
    this.#container = container;
  }

  /** Show `text`; blocks equal to what is shown keep their nodes, so a selection survives. */
  show(text) {
    const wanted = blocks(text).map((block) => ({ block, key: JSON.stringify(block) }));
    let same = 0;
    while (same < wanted.length && wanted[same].key === this.#shown[same]?.key) same += 1;
    for (const { node } of this.#shown.slice(same)) node.remove();
    const fresh = wanted.slice(same).map(({ block, key }) => ({ key, node: RENDER[block.kind](block) }));
    this.#container.append(...fresh.map(({ node }) => node));
    this.#shown = [...this.#shown.slice(0, same), ...fresh];
  }
}
