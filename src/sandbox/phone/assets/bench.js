"use strict";
// The bench beside the phone: gauges, the conversation, what the server knows, and logins that work.
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
  const now = ticks(), s = (ms) => ms / 1000;
  const limits = dialog?.limits ?? lastTurn?.limits ?? limitsOf($("network").value);
  gauge("g-septets", lastTurn?.cost ?? 0, limits.out_septets, "", 0, lastTurn?.strange);
  $("g-septets").querySelector("small").textContent = lastTurn?.strange ? `${lastTurn.strange} is not in the GSM 7-bit alphabet` : "in the last answer, with its CON";
  gauge("g-turn", s(waiting ? performance.now() - waiting.since : lastTurn?.took ?? 0), s(limits.turn_ms), " s", 2);
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
    tell(node, ".typed", `Dialog reported ${item.status}${item.error ? `: ${item.error}` : ""}`);
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
