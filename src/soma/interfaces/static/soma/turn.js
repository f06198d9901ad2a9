// The state of one turn, folded from its frames. Live and past turns go through the same fold.

/** A turn nothing is known about yet. */
export function newTurn(id) {
  return {
    id,
    status: "waiting", // waiting, running, completed, cancelled, failed
    phase: "waiting", // waiting, planning, asking, writing, tools, learning, finishing, done
    seed: null, model: "", attempt: 1,
    iterations: new Map(), current: null,
    answer: null, completed: null, failure: null, agent: "",
    previousEnd: null, elapsed: null, traceId: "",
  };
}

/** The iterations in order. */
export const ordered = (turn) => [...turn.iterations.values()].sort((a, b) => a.number - b.number);

/** The text to show as the answer: the final one, or what the running iteration has written so far. */
export function visibleText(turn) {
  if (turn.answer?.text) return turn.answer.text;
  const written = ordered(turn).filter((iteration) => iteration.text);
  return written.at(-1)?.text ?? "";
}

/** Apply one frame at `time` (milliseconds, or null when the frame's own time is unknown). */
export function apply(turn, { event, data }, time = null) {
  FOLD[event]?.(turn, data, time);
  return turn;
}

const FOLD = {
  "turn.started"(turn, data, time) {
    Object.assign(turn, {
      status: "running", phase: "planning", seed: data.seed,
      model: data.model || turn.model, attempt: data.attempt ?? 1, previousEnd: time,
    });
    if (turn.attempt > 1) forgetFrom(turn, data.resumed_iteration);
  },
  plan(turn, data, time) {
    const iteration = at(turn, data.iteration);
    Object.assign(iteration, { plan: data, text: "", tools: new Map(), verify: null, learn: null });
    iteration.marks = { start: turn.previousEnd, plan: time };
    turn.model = data.model || turn.model;
    enter(turn, iteration, "asking");
  },
  "answer.delta"(turn, data, time) {
    const iteration = at(turn, data.iteration);
    iteration.text += data.text;
    iteration.marks.firstToken ??= time;
    iteration.marks.write = time;
    enter(turn, iteration, "writing");
  },
  "tool.intent"(turn, data, time) {
    const iteration = at(turn, data.iteration);
    iteration.tools.set(data.call_id, { ...data, status: data.decision === "deny" ? "denied" : "running", stream: "" });
    iteration.marks.toolStart ??= time;
    enter(turn, iteration, "tools");
  },
  "tool.delta"(turn, data) {
    toolOf(turn, data).stream += data.text;
  },
  "tool.done"(turn, data, time) {
    Object.assign(toolOf(turn, data), data);
    at(turn, data.iteration).marks.toolEnd = time;
  },
  verify(turn, data, time) {
    const iteration = at(turn, data.iteration);
    iteration.verify = data;
    iteration.marks.verify = time;
    enter(turn, iteration, "learning");
  },
  learn(turn, data, time) {
    const iteration = at(turn, data.iteration);
    iteration.learn = data;
    iteration.marks.learn = time;
    turn.previousEnd = time;
    enter(turn, iteration, "planning");
  },
  answer(turn, data) {
    turn.answer = data;
    turn.phase = "finishing";
  },
  "turn.completed"(turn, data) {
    const cancelled = (data.exit_reason ?? data.status) === "cancelled";
    Object.assign(turn, { completed: data, status: cancelled ? "cancelled" : "completed", phase: "done" });
  },
  "turn.failed"(turn, data) {
    Object.assign(turn, { failure: data, status: "failed", phase: "done" });
  },
};

function enter(turn, iteration, phase) {
  turn.current = iteration.number;
  turn.phase = phase;
}

function at(turn, number) {
  if (!turn.iterations.has(number)) {
    turn.iterations.set(number, { number, plan: null, text: "", tools: new Map(), verify: null, learn: null, marks: {} });
  }
  return turn.iterations.get(number);
}

function toolOf(turn, data) {
  const { tools } = at(turn, data.iteration);
  if (!tools.has(data.call_id)) tools.set(data.call_id, { ...data, status: "running", stream: "" });
  return tools.get(data.call_id);
}

// A new attempt takes up at `resumed`: what the dead attempt had said of it, or after it, did not happen.
function forgetFrom(turn, resumed) {
  for (const number of turn.iterations.keys()) {
    if (resumed === null || resumed === undefined || number >= resumed) turn.iterations.delete(number);
  }
  turn.answer = null;
}

const TRACED = { recall: "recall", plan: "plan", model: "write", tools: "tools", learn: "learn" };
const ORDER = Object.values(TRACED);
const SHORTEST_MS = 0.1;

/** Add what only the recorded trace knows: exact times, whose turn it was, and where evidence comes from. */
export function enrich(turn, trace) {
  turn.traceId = trace.trace_id ?? "";
  turn.agent = trace.agent_id ?? "";
  for (const { phase, iteration: number, ms } of trace.phases ?? []) {
    const iteration = turn.iterations.get(number);
    if (!iteration || !TRACED[phase]) continue;
    iteration.timing ??= [];
    const idle = phase === "tools" && !iteration.tools.size;
    if (ms >= SHORTEST_MS && !idle) iteration.timing.push({ phase: TRACED[phase], ms });
  }
  for (const { timing } of turn.iterations.values()) timing?.sort((a, b) => ORDER.indexOf(a.phase) - ORDER.indexOf(b.phase));
  for (const { iteration: number, evidence = [] } of trace.iterations ?? []) {
    const known = new Map(evidence.map((item) => [item.id, item]));
    const plan = turn.iterations.get(number)?.plan;
    if (plan) plan.evidence = plan.evidence.map((item) => ({ ...item, ...known.get(item.id) }));
  }
}

/** How long each phase of `iteration` took: [{phase, ms}]. While a turn runs, the times between its frames
 * stand in for the recorded ones; only those whose both ends are known are given. */
export function phases(iteration) {
  if (iteration.timing) return iteration.timing;
  const { start, plan, write, toolStart, toolEnd, verify, learn } = iteration.marks;
  const written = toolStart ?? verify ?? write;
  const spans = [["plan", start, plan], ["write", plan, written], ["tools", toolStart, toolEnd], ["learn", toolEnd ?? written, learn]];
  return spans
    .filter(([, from, to]) => typeof from === "number" && typeof to === "number" && to - from >= SHORTEST_MS)
    .map(([phase, from, to]) => ({ phase, ms: to - from }));
}

/** Why this turn is running on less than everything: the reasons, each once. */
export const degradedReasons = (turn) => [...new Set(turn.answer?.degraded_reasons ?? [])];
