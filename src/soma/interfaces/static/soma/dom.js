// Elements without markup strings: whatever a model or a tool wrote only ever becomes a text node.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. `attributes` may hold class, dataset, vars (CSS custom properties) and on (listeners). */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element, built the same way. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, { class: names, dataset = {}, vars = {}, on = {}, ...rest }, children) {
  if (names) node.setAttribute("class", names);
  Object.assign(node.dataset, dataset);
  for (const [name, value] of Object.entries(vars)) node.style.setProperty(name, value);
  for (const [name, listener] of Object.entries(on)) node.addEventListener(name, listener);
  for (const [name, value] of Object.entries(rest)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** A copy of the one element inside `<template id=…>`. */
export const stamp = (id) => byId(id).content.firstElementChild.cloneNode(true);

/** Write `text` only when it differs, so that nothing repaints or is announced twice. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
