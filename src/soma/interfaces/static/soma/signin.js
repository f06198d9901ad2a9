// The sign-in page: a form for the token, or none at all when the address carries one.

import { byId } from "./dom.js";
import { show, signInForm, signInFromFragment } from "./session.js";

const form = byId("sign-in");
const enter = () => location.reload();

async function fromAddress() {
  try {
    if (await signInFromFragment()) enter();
  } catch (problem) {
    show(form, problem.detail || problem.title);
  }
}

signInForm(form, enter);
window.addEventListener("hashchange", fromAddress);
fromAddress();
