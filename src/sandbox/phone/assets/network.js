"use strict";
// The network: what the phone page shares, and the aggregator's side of each dialog.
const $ = (id) => document.getElementById(id);
const SEGMENT_HIDDEN = "\u2022\u2022\u2022\u2022"; // always four: the length of what was typed is not shown either
const OTHER = "other";
const view = { mode: "idle", tapKey: null, tapAt: 0, tapIndex: 0, typing: "digits", pressed: 0 };
let facts = null; // what /phone/facts.json says
let dialog = null; // the open dialog, as the aggregator knows it
let waiting = null; // the turn that is being answered: { since, abort }
let dialled = null; // for redial
let lastTurn = null; // { took, septets, limits } of the latest answer
let activeAt = 0; // when a dialog last did something
const log = []; // turns and events, oldest first

/* ---- GSM 7-bit ---- */
const BASIC = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const EXTENDED = new Set("\f^{}\\[~]|€");
function septets(text) {
  let cost = 0, strange = null;
  for (const c of text) {
    if (BASIC.has(c)) cost += 1;
    else if (EXTENDED.has(c)) cost += 2;
    else { cost += 1; strange ??= c; }
  }
  return { cost, strange };
}

/* ---- the aggregator ---- */
const encode = (value) => encodeURIComponent(value)
  .replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase())
  .replace(/%20/g, "+");
const form = (fields) => fields.map(([name, value]) => `${name}=${encode(value)}`).join("&");
const post = (path, fields, signal) => fetch(path, {
  method: "POST", body: form(fields), signal, cache: "no-store", credentials: "omit", redirect: "error", keepalive: true,
  headers: { "content-type": "application/x-www-form-urlencoded" },
});
function sessionId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return "ATUid_" + Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
// A choice that the screen offered says nothing; anything else may be a secret, in whatever language it was asked for.
function isChoice(line, screen) {
  return /^\d{1,2}$/.test(line) && new RegExp(`(^|\\s)${line}[.:)]?\\s+\\p{L}`, "u").test(screen);
}
const spoken = (lines) => lines.map((l) => (l.open || !$("mask").checked ? l.text : SEGMENT_HIDDEN)).join("*");

function dial(code) {
  if (dialog) finish("Incomplete");
  dialled = code;
  const stem = facts.service_code.slice(0, -1);
  const rest = code.startsWith(stem) && code.endsWith("#") ? code.slice(stem.length, -1) : null;
  if (rest === null || !/^(\*[^*]+(\*[^*]+)*)?$/.test(rest)) {
    return notice(`Connection problem or invalid MMI code.\n\nHere only ${facts.service_code} is connected.`);
  }
  const sim = card();
  if (!sim) return notice("Insert SIM.\n\nWrite the number as +234... and the network as five or six digits.");
  const lines = rest ? rest.slice(1).split("*").map((text) => ({ text, open: text.length < 3 })) : [];
  dialog = { id: sessionId(), sim, limits: limitsOf(sim.network), lines, turns: 0, since: ticks(), shownAt: null, last: "" };
  turn(true, lines.slice());
}
function answer(line) {
  const typed = { text: line, open: isChoice(line, dialog.last) };
  dialog.lines.push(typed);
  turn(false, [typed]);
}
async function turn(first, typed) {
  const d = dialog;
  d.turns += 1;
  d.shownAt = null;
  const lines = d.lines.slice();
  const fields = (text) => [["sessionId", d.id], ["phoneNumber", d.sim.number], ["networkCode", d.sim.network], ["serviceCode", facts.service_code], ["text", text]];
  const entry = { kind: "turn", n: d.turns, first, typed, limits: d.limits, path: facts.callback_path, request: () => form(fields(spoken(lines))), reply: null, note: null };
  log.push(entry);
  $("turns").scrollTop = 0;
  waiting = { since: performance.now(), abort: new AbortController() };
  const mine = waiting;
  const deadline = setTimeout(() => mine.abort.abort(), d.limits.turn_ms);
  show("waiting");
  drawLog();
  let status = 0, type = "", body = null;
  try {
    const response = await post(facts.callback_path, fields(lines.map((l) => l.text).join("*")), mine.abort.signal);
    status = response.status;
    type = response.headers.get("content-type") ?? "";
    body = await response.text();
  } catch { /* said below */ }
  clearTimeout(deadline);
  if (dialog !== d) {
    entry.note = d.dropped ? "The network had cut the session when the answer came: nobody saw it." : "Hung up before the answer came.";
    return drawLog();
  }
  waiting = null;
  activeAt = performance.now();
  entry.took = activeAt - mine.since;
  if (body === null) {
    const late = mine.abort.signal.aborted; // a person who hung up is handled above
    entry.note = late ? `No answer in ${d.limits.turn_ms / 1000} s: the gateway gave up.` : "The server did not answer. Is the sandbox still running?";
    lastTurn = { took: entry.took, cost: null, limits: d.limits };
    finish("Failed", late ? "no answer in time" : "no answer");
    return notice("Connection problem or invalid MMI code.");
  }
  const { cost, strange } = septets(body);
  Object.assign(entry, { reply: body, status, type, cost, strange });
  lastTurn = { took: entry.took, cost, strange, limits: d.limits };
  const kind = /^(CON|END) \s*\S/.test(body) && status === 200 ? body.slice(0, 3) : null;
  if (!kind) {
    entry.note = `Not an answer in the dialect (HTTP ${status}): the gateway ended the dialog.`;
    finish("Failed", "invalid answer");
    return notice("Connection problem or invalid MMI code.");
  }
  d.last = body;
  const text = body.slice(4);
  if (kind === "END") { finish("Success"); return notice(text); }
  d.shownAt = ticks();
  $("screen").textContent = text;
  $("screen").scrollTop = 0;
  view.typing = /(^|\n)\s*\d{1,2}[.:) ]\s*\S/.test(text) ? "digits" : "letters";
  show("prompt");
  drawLog();
  look();
}
// The dialog is over: the gateway tells so on the events path, whatever ended it.
function finish(status, error) {
  const d = dialog;
  dialog = null;
  if (waiting && !d.dropped) waiting.abort.abort(); // a network that drops a phone still lets the gateway wait
  waiting = null;
  const fields = (input) => [
    ["date", sandboxNow().toISOString().slice(0, 19).replace("T", " ")], ["sessionId", d.id], ["serviceCode", facts.service_code],
    ["networkCode", d.sim.network], ["phoneNumber", d.sim.number], ["status", status], ["cost", "None"],
    ["durationInMillis", String(Math.round(ticks() - d.since))], ["hopsCount", String(d.turns)], ["input", input], ["lastAppResponse", d.last],
  ].concat(error ? [["errorMessage", error]] : []);
  const entry = { kind: "event", status, error, path: facts.events_path, request: () => form(fields(spoken(d.lines))), answer: "on its way" };
  log.push(entry);
  activeAt = performance.now();
  post(facts.events_path, fields(d.lines.map((l) => l.text).join("*")))
    .then((r) => { entry.answer = `HTTP ${r.status}`; }, () => { entry.answer = "not delivered"; })
    .then(() => { drawLog(); look(); });
  drawLog();
}
// What a network does in a lift or at the edge of a cell: the person did nothing, and sees no more than that it is over.
// Africa's Talking has no word of its own for it and reports what was expected to go on as Incomplete.
function cut() {
  if (!dialog) return;
  dialog.dropped = true;
  finish("Incomplete", "dropped by the network");
  notice("Connection problem or invalid MMI code.");
}
function cancel(text) {
  finish("Incomplete");
  if (text) notice(text); else show("idle");
}
