"use strict";
// Texts: what came to the number in the phone, what was sent from it, and a line to write one.
const CODE = /\*\d[\d*]*#/g;
const HARMLESS = /^(link|menu|help|info|stop|start|continue|english|pidgin|hausa|yoruba|igbo|kiswahili|swahili|francais|\d{1,3})$/i; // anything else may be a secret, and is masked like one
const inbox = { number: null, got: [], sent: [], seen: 0, reading: null, failed: false, none: false };
const drawn = { key: "" };

/* ---- what is shown ---- */
function when(at) {
  const moment = new Date(at), clock = moment.toTimeString().slice(0, 5);
  const today = moment.toDateString() === sandboxNow().toDateString();
  return today ? clock : `${moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${clock}`;
}
// Codes become keys that dial them, the rest stays text.
function words(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(CODE)) {
    const code = document.createElement("button");
    Object.assign(code, { type: "button", className: "chip", textContent: found[0] });
    code.setAttribute("aria-label", `Dial ${found[0]}`);
    code.addEventListener("click", () => { readTexts(); code.blur(); dial(found[0]); }); // what is typed next is for the phone
    parts.push(text.slice(from, found.index), code);
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}
function drawText(item, newest) {
  const node = $("sms").content.cloneNode(true), li = node.querySelector("li");
  li.classList.toggle("mine", Boolean(item.mine));
  li.classList.toggle("newest", newest);
  li.dataset.id = item.id;
  tell(node, ".who", item.mine ? "You" : item.from);
  tell(node, "time", when(item.at));
  node.querySelector("time").dateTime = new Date(item.at).toISOString();
  node.querySelector(".mark-new").hidden = !newest;
  const shown = item.mine && $("mask").checked && !HARMLESS.test(item.text) ? SEGMENT_HIDDEN : item.text;
  node.querySelector(".sms-text").append(...(item.mine ? [shown] : words(shown)));
  if (item.mine && item.state) tell(node, ".who", `You, ${item.state}`);
  return node;
}
function drawInbox() {
  drawMark();
  const day = sandboxNow().toDateString();
  const all = [...inbox.got, ...inbox.sent].sort((a, b) => b.at - a.at);
  const key = JSON.stringify([day, inbox.number, $("mask").checked, all.map((t) => [t.id, t.state])]);
  if (key === drawn.key) return;
  drawn.key = key;
  const held = document.activeElement?.closest("#inbox li")?.dataset.id; // a code that has the focus keeps it
  const newest = all.find((t) => !t.mine);
  $("inbox").replaceChildren(...all.map((t) => drawText(t, t === newest)));
  $("inbox").scrollTop = 0;
  if (held) [...$("inbox").children].find((li) => li.dataset.id === held)?.querySelector("button")?.focus();
}
// How many came since somebody last looked: on the phone's screen, on the way down to them, and in the window's title.
function drawMark() {
  const fresh = Math.max(0, inbox.got.length - inbox.seen);
  $("mail").toggleAttribute("hidden", fresh === 0);
  $("jump-count").textContent = fresh ? `${fresh} new` : "";
  document.title = `${fresh ? `(${fresh}) ` : ""}Kiungo phone (sandbox)`;
}
function drawInboxState() {
  $("reply").hidden = inbox.none;
  $("inbox-empty").hidden = inbox.got.length + inbox.sent.length > 0 && !inbox.failed;
  $("inbox-empty").textContent = inbox.none ? "No SMS gateway of the sandbox is set up here, so no texts come."
    : inbox.failed ? "The server did not answer."
    : "Texts to this number appear here. Send one of the words below, and the answer comes.";
}
function readTexts() { inbox.seen = inbox.got.length; drawMark(); }

/* ---- reading and sending ---- */
async function fetchTexts() {
  const number = card()?.number ?? null;
  if (number !== inbox.number) {
    Object.assign(inbox, { number, got: [], sent: [], seen: null });
    drawInbox();
  }
  if (!number || inbox.none) return drawInboxState();
  if (inbox.reading === number) return;
  inbox.reading = number;
  try {
    const answer = await fetch(`/phone/texts.json?msisdn=${encode(number)}`, { cache: "no-store", credentials: "omit" });
    inbox.none = answer.status === 404;
    if (!answer.ok && !inbox.none) throw new Error(String(answer.status));
    const got = inbox.none ? [] : await answer.json();
    if (number !== inbox.number) return; // another SIM meanwhile
    inbox.got = got;
    inbox.seen ??= inbox.got.length; // what was there before this number was put in is not news
    inbox.failed = false;
  } catch { inbox.failed = number === inbox.number; }
  finally { if (inbox.reading === number) inbox.reading = null; }
  drawInbox();
  drawInboxState();
}
async function sendText(text) {
  const sim = card();
  if (!sim || !text) return;
  const item = { id: `mine-${inbox.sent.length}`, mine: true, at: sandboxNow().getTime(), text, state: "sending" };
  inbox.sent.push(item);
  readTexts();
  drawInbox();
  drawInboxState();
  const answer = await fetch("/phone/texts", {
    method: "POST", body: JSON.stringify({ msisdn: sim.number, text }), cache: "no-store", credentials: "omit",
    headers: { "content-type": "application/json" },
  }).catch(() => null);
  item.state = answer?.ok ? "" : "not sent";
  drawInbox();
  fetchTexts();
}
$("reply").addEventListener("submit", (e) => {
  e.preventDefault();
  sendText($("reply-text").value.trim());
  $("reply-text").value = "";
});
for (const chip of document.querySelectorAll("[data-text]")) chip.addEventListener("click", () => sendText(chip.dataset.text));
$("inbox").addEventListener("pointerdown", readTexts);
$("jump").addEventListener("click", readTexts);
