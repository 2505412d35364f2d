"use strict";
// The browser phone: the keys, the aggregator's side of each dialog, and what the bench beside the phone shows.
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
  dialog = { id: sessionId(), sim, limits: limitsOf(sim.network), lines, turns: 0, since: performance.now(), shownAt: null, last: "" };
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
  if (dialog !== d) { entry.note = "Hung up before the answer came."; return drawLog(); }
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
  d.shownAt = performance.now();
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
  if (waiting) { waiting.abort.abort(); waiting = null; }
  const now = performance.now();
  const fields = (input) => [
    ["date", new Date().toISOString().slice(0, 19).replace("T", " ")], ["sessionId", d.id], ["serviceCode", facts.service_code],
    ["networkCode", d.sim.network], ["phoneNumber", d.sim.number], ["status", status], ["cost", "None"],
    ["durationInMillis", String(Math.round(now - d.since))], ["hopsCount", String(d.turns)], ["input", input], ["lastAppResponse", d.last],
  ].concat(error ? [["errorMessage", error]] : []);
  const entry = { kind: "event", status, path: facts.events_path, request: () => form(fields(spoken(d.lines))), answer: "on its way" };
  log.push(entry);
  activeAt = now;
  post(facts.events_path, fields(d.lines.map((l) => l.text).join("*")))
    .then((r) => { entry.answer = `HTTP ${r.status}`; }, () => { entry.answer = "not delivered"; })
    .then(() => { drawLog(); look(); });
  drawLog();
}
function cancel(text) {
  finish("Incomplete");
  if (text) notice(text); else show("idle");
}

/* ---- the handset ---- */
const LETTERS = { 1: ".,?!'\"-()@/:_1", 2: "abc2", 3: "def3", 4: "ghi4", 5: "jkl5", 6: "mno6", 7: "pqrs7", 8: "tuv8", 9: "wxyz9", 0: " 0", "*": "*@._-+#&%=" };
const MODES = { digits: "123", letters: "abc", capitals: "ABC" };
const TAP_MS = 900, HOLD_MS = 550, entry = $("entry");
function show(mode) {
  view.mode = mode;
  view.tapKey = null;
  $("lcd").dataset.mode = mode;
  if (mode === "prompt" || mode === "idle") entry.value = "";
  $("working").hidden = mode !== "waiting";
  entry.disabled = mode === "waiting";
  entry.maxLength = dialog ? dialog.limits.in_chars : 60;
  drawKeys();
  if (mode === "prompt" && matchMedia("(hover: hover)").matches && !document.activeElement?.closest(".sim, .inspect")) entry.focus();
}
function notice(text) {
  $("screen").textContent = text;
  $("screen").scrollTop = 0;
  show("notice");
  drawLog();
  look();
}
function drawKeys() {
  const typed = entry.value !== "";
  const dialling = view.mode === "idle" && typed;
  $("lcd").classList.toggle("dialling", dialling);
  const [left, right] = {
    idle: dialling ? ["Call", "Clear"] : [dialled ? "Redial" : "Dial", ""],
    waiting: ["", "Cancel"],
    prompt: ["Send", typed ? "Clear" : "Cancel"],
    notice: ["Redial", "Close"],
  }[view.mode];
  for (const [id, label] of [["left", left], ["right", right]]) {
    $(`label-${id}`).textContent = label;
    $(`soft-${id}`).setAttribute("aria-label", label || "No function now");
  }
  $("input-mode").value = view.mode === "prompt" ? `${MODES[view.typing]} ${entry.maxLength - entry.value.length}` : "";
  $("kind").textContent = view.mode === "idle" ? "" : "USSD";
}
function put(text, replace) {
  if (view.mode === "notice") show("idle");
  if (view.mode === "waiting") return;
  const kept = replace ? entry.value.slice(0, -1) : entry.value;
  if (kept.length + text.length <= entry.maxLength) entry.value = kept + text;
  entry.scrollLeft = entry.scrollWidth;
  drawKeys();
}
function tap(key) {
  const lettering = view.mode === "prompt" && view.typing !== "digits";
  if (view.mode === "prompt" && key === "#") {
    const modes = Object.keys(MODES);
    view.typing = modes[(modes.indexOf(view.typing) + 1) % modes.length];
    view.tapKey = null;
    return drawKeys();
  }
  if (!lettering) return put(key);
  const now = performance.now();
  const again = view.tapKey === key && now - view.tapAt < TAP_MS;
  view.tapIndex = again ? (view.tapIndex + 1) % LETTERS[key].length : 0;
  Object.assign(view, { tapKey: key, tapAt: now });
  const letter = LETTERS[key][view.tapIndex];
  put(view.typing === "capitals" ? letter.toUpperCase() : letter, again);
}
function hold(key) {
  view.tapKey = null;
  put(key === "0" && view.mode !== "prompt" ? "+" : key);
}
function back() { entry.value = entry.value.slice(0, -1); view.tapKey = null; drawKeys(); }
function go() {
  const text = entry.value;
  if (view.mode === "prompt") { if (text) answer(text); }
  else if (view.mode === "notice") dial(dialled);
  else if (view.mode === "idle") { if (text) dial(text); else put(dialled ?? facts.service_code); }
}
function softLeft() { if (view.mode === "idle" && !entry.value) dial(dialled ?? facts.service_code); else go(); }
function softRight() {
  if (view.mode === "waiting" || (view.mode === "prompt" && !entry.value)) cancel();
  else if (view.mode === "notice") show("idle");
  else back();
}
function hangUp() { if (dialog) cancel(); else show("idle"); }
function flash(button) { button?.classList.add("down"); setTimeout(() => button?.classList.remove("down"), 130); }
function scroll(by) { $("screen").scrollBy({ top: by * 60, behavior: "smooth" }); }

for (const button of $("keys").children) {
  const key = button.dataset.key;
  let timer = 0, held = false;
  button.addEventListener("pointerdown", () => { held = false; timer = setTimeout(() => { held = true; hold(key); }, HOLD_MS); });
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) button.addEventListener(end, () => clearTimeout(timer));
  button.addEventListener("click", () => { if (!held) tap(key); held = false; });
  button.addEventListener("contextmenu", (e) => e.preventDefault());
}
const BUTTONS = { call: go, ok: go, end: hangUp, "soft-left": softLeft, "soft-right": softRight, up: () => scroll(-1), down: () => scroll(1) };
for (const [id, act] of Object.entries(BUTTONS)) $(id).addEventListener("click", act);
entry.addEventListener("input", () => { if (view.mode === "notice") show("idle"); view.tapKey = null; drawKeys(); });
document.addEventListener("keydown", (e) => {
  const at = e.target;
  if (!facts || e.ctrlKey || e.metaKey || e.altKey || (at !== entry && at.closest("select, input, textarea, .inspect"))) return;
  const printable = e.key.length === 1;
  if (printable) flash(document.querySelector(`[data-key="${CSS.escape(e.key)}"]`));
  if (e.key === "Escape") { flash($("end")); hangUp(); }
  else if (e.key === "ArrowUp" || e.key === "ArrowDown") scroll(e.key === "ArrowUp" ? -1 : 1);
  else if (at.closest("button, a, summary") && (e.key === "Enter" || e.key === " ")) return;
  else if (e.key === "Enter") { flash($("call")); go(); }
  else if (at === entry) return;
  else if (e.key === "Backspace") back();
  else if (printable) { entry.focus(); put(e.key); }
  else return;
  e.preventDefault();
});

/* ---- the SIM ---- */
const networkOf = (code) => facts.networks.find((n) => n.code === code);
const limitsOf = (code) => networkOf(code)?.limits ?? facts.limits;
function card() {
  const pick = (id) => ($(id).value === OTHER ? $(`${id}-free`).value.trim() : $(id).value);
  const sim = { number: pick("number"), network: pick("network") };
  return /^\+\d{8,15}$/.test(sim.number) && /^\d{5,6}$/.test(sim.network) ? sim : null;
}
function drawSim() {
  for (const id of ["number", "network"]) $(`${id}-free`).parentElement.hidden = $(id).value !== OTHER;
  const network = networkOf($("network").value);
  $("operator").textContent = network ? `${network.name} ${network.country}` : "Roaming";
  drawGauges();
  look();
}
function fillSim() {
  const pretty = (n) => n.replace(/^(\+\d{3})(\d{3})(\d{3})(\d+)$/, "$1 $2 $3 $4");
  for (const n of facts.numbers) $("number").add(new Option(`${pretty(n.number)}, ${n.whose.split(",")[0]}`, n.number));
  for (const n of facts.networks) $("network").add(new Option(`${n.name} ${n.country}`, n.code));
  $("number").add(new Option("Another number", OTHER));
  $("network").add(new Option("Another network", OTHER));
  $("number").addEventListener("change", () => {
    const preset = facts.numbers.find((n) => n.number === $("number").value);
    if (preset) $("network").value = preset.network;
  });
  if (facts.numbers[0]) $("network").value = facts.numbers[0].network;
  $("sim").addEventListener("change", () => { if (dialog) cancel("SIM changed. The dialog was ended."); drawSim(); });
  $("sim").addEventListener("submit", (e) => e.preventDefault());
}

/* ---- the bench ---- */
function gauge(id, value, limit, unit, digits, bad) {
  const box = $(id), ratio = limit ? value / limit : 0;
  const [b, span] = [box.querySelector("b"), box.querySelector("p span")];
  b.textContent = value.toFixed(digits);
  span.textContent = `of ${limit}${unit}`;
  box.querySelector("i").style.setProperty("--fill", Math.min(1, ratio).toFixed(4));
  box.dataset.level = bad || ratio > 1 ? "over" : ratio > 0.8 ? "near" : "fine";
  const meter = box.querySelector("[role=meter]");
  meter.setAttribute("aria-valuemax", limit);
  meter.setAttribute("aria-valuenow", value.toFixed(digits));
  meter.setAttribute("aria-valuetext", `${value.toFixed(digits)} ${span.textContent}`);
}
function drawGauges() {
  const now = performance.now(), s = (ms) => ms / 1000;
  const limits = dialog?.limits ?? lastTurn?.limits ?? limitsOf($("network").value);
  gauge("g-septets", lastTurn?.cost ?? 0, limits.out_septets, "", 0, lastTurn?.strange);
  $("g-septets").querySelector("small").textContent = lastTurn?.strange ? `${lastTurn.strange} is not in the GSM 7-bit alphabet` : "in the last answer, with its CON";
  gauge("g-turn", s(waiting ? now - waiting.since : lastTurn?.took ?? 0), s(limits.turn_ms), " s", 2);
  const idle = dialog?.shownAt ? now - dialog.shownAt : 0;
  gauge("g-idle", s(idle), s(limits.idle_ms), " s", 0);
  const age = dialog ? now - dialog.since : 0;
  gauge("g-dialog", s(age), s(limits.dialog_ms), " s", 0);
  if (!dialog || !$("enforce").checked) return;
  if (age >= limits.dialog_ms) cancel("The network ended this session: it lasted too long.");
  else if (idle >= limits.idle_ms) cancel("The network ended this session: no answer in time.");
}
function tell(node, selector, text) { node.querySelector(selector).textContent = text; }
function drawTurn(item, newest) {
  const node = $("turn").content.cloneNode(true);
  const li = node.querySelector("li"), details = node.querySelector("details");
  details.open = item.opened ?? newest;
  details.querySelector("summary").addEventListener("click", () => { item.opened = !details.open; });
  const head = `POST ${item.path}\n\n`;
  tell(node, ".req", head + item.request().replaceAll("&", "\n&").replaceAll(encode(SEGMENT_HIDDEN), SEGMENT_HIDDEN));
  if (item.kind === "event") {
    li.classList.add("event");
    tell(node, ".n", "End");
    tell(node, ".typed", `Dialog reported ${item.status}`);
    tell(node, ".res", item.answer);
    details.open = item.opened ?? false;
    node.querySelector(".said").remove();
    tell(node, "summary", "Event");
    return node;
  }
  tell(node, ".n", String(item.n));
  const said = spoken(item.typed);
  tell(node, ".typed", item.first ? `dialled ${facts.service_code.slice(0, -1)}${said && "*"}${said}#` : `typed ${said}`);
  tell(node, ".cost", item.took === undefined ? "waiting" : `${(item.took / 1000).toFixed(2)} s` + (item.cost === undefined ? "" : `  ${item.cost}/${item.limits.out_septets}`));
  tell(node, ".said", item.note ?? (item.reply === null ? "" : item.reply.slice(4)));
  li.classList.toggle("wrong", item.note !== null);
  tell(node, ".res", item.reply === null ? "no reply yet" : `HTTP ${item.status}  ${item.type}\n\n${item.reply}`);
  return node;
}
function drawLog() {
  const newest = log.findLast((item) => item.kind === "turn");
  $("turns").replaceChildren(...log.map((item) => drawTurn(item, item === newest)).reverse());
  $("turns-empty").hidden = log.length > 0;
}
// What the server knows of this number; rows that changed are marked.
let known = new Map();
async function look() {
  const sim = facts && card();
  let rows = null, failed = false;
  if (sim) {
    try {
      const response = await fetch(`/phone/session.json?msisdn=${encode(sim.number)}`, { cache: "no-store", credentials: "omit" });
      if (!response.ok) throw new Error(String(response.status));
      rows = await response.json();
    } catch { failed = true; }
  }
  const seen = new Map();
  $("session").replaceChildren(...(rows ?? []).map(({ label, value }) => {
    const row = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = label;
    dd.textContent = value;
    seen.set(label, value);
    row.classList.toggle("changed", known.has(label) && known.get(label) !== value);
    row.append(dt, dd);
    return row;
  }));
  known = seen;
  $("session-empty").hidden = Boolean(rows?.length);
  $("session-empty").textContent = failed ? "The server did not answer." : "Nothing is known of this number yet.";
}
function fillLogins() {
  $("logins").tBodies[0].replaceChildren(...facts.credentials.map((c) => {
    const row = document.createElement("tr"), chip = document.createElement("button");
    Object.assign(chip, { type: "button", className: "chip", textContent: c.typed });
    chip.setAttribute("aria-label", `Type ${c.typed} on the phone`);
    chip.addEventListener("click", () => { if (view.mode === "prompt") { entry.value = ""; put(c.typed); } });
    row.insertCell().append(chip);
    row.insertCell().textContent = c.path;
    row.insertCell().textContent = c.what_happens;
    return row;
  }));
  $("logins").hidden = facts.credentials.length === 0;
  $("logins-empty").hidden = facts.credentials.length > 0;
}
$("mask").addEventListener("change", drawLog);
$("forget").addEventListener("click", () => { log.length = 0; drawLog(); });
$("dial-code").addEventListener("click", () => dial(facts.service_code));
$("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.dataset.theme = dark === "dark" ? "light" : "dark";
});
addEventListener("pagehide", () => { if (dialog) finish("Incomplete"); });
(async () => {
  try { facts = await (await fetch("/phone/facts.json", { cache: "no-store" })).json(); } catch { return notice("No service.\n\nThe server did not answer. Is the sandbox running?"); }
  $("hint").textContent = $("dial-code").textContent = facts.service_code;
  fillSim();
  fillLogins();
  show("idle");
  drawSim();
  setInterval(() => { $("clock").textContent = new Date().toTimeString().slice(0, 5); drawGauges(); }, 100);
  setInterval(() => { if (!document.hidden && (dialog || performance.now() - activeAt < 60000)) look(); }, 3000);
})();
