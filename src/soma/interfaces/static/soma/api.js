// Calls to the service. Every refusal arrives as one kind of error: a problem (RFC 9457) with its trace id.

/** What the service, or the network, answered instead of a result. */
export class Problem extends Error {
  constructor({ status = 0, title = "Request failed", detail = "", code = "", trace_id: traceId = "" }) {
    super(detail || title);
    Object.assign(this, { status, title, detail, code, traceId });
  }

  /** Whether the session is gone. */
  get signedOut() {
    return this.status === 401;
  }
}

async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  return new Problem({
    title: response.statusText || "Request failed",
    trace_id: response.headers.get("x-trace-id") ?? "",
    ...body,
    status: response.status,
  });
}

async function call(method, path, { json, form, headers = {} } = {}) {
  const body = json === undefined ? form && new URLSearchParams(form) : JSON.stringify(json);
  if (json !== undefined) headers = { ...headers, "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(path, { method, body, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" });
  } catch {
    throw new Problem({ title: "No connection", detail: "The service did not answer. Is it running?", code: "network" });
  }
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

/** A fresh idempotency key; `crypto.randomUUID` exists in secure contexts only. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const turnPath = (turnId) => `/api/v2/chat/turns/${encodeURIComponent(turnId)}`;

/** Send a message; repeating it with the same key never makes a second turn. */
export const sendMessage = (conversationId, text, key) =>
  call("POST", `/api/v2/chat/conversations/${encodeURIComponent(conversationId)}/messages`, {
    json: { message: text },
    headers: { "Idempotency-Key": key },
  });

export const getTrace = (turnId) => call("GET", `${turnPath(turnId)}/trace`);
export const getTurn = (turnId) => call("GET", turnPath(turnId));
export const cancelTurn = (turnId) => call("POST", `${turnPath(turnId)}/cancel`);
export const giveFeedback = (turnId, said) => call("POST", `${turnPath(turnId)}/feedback`, { json: said });
export const getLearning = (agent, limit) =>
  call("GET", `/v1/learning/state/${encodeURIComponent(agent)}?limit=${limit}`);
export const login = (token) => call("POST", "/console/login", { form: { token } });
export const refreshSession = () => call("POST", "/v1/session/refresh");
