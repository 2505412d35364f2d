"use strict";
// The sandbox's clock. It only goes forward, and the network's timers on this page follow it: for them, too, that time passed.
const time = { ahead: 0, offset: 0, there: false }; // milliseconds: ahead of the machine; from this browser's clock to the sandbox's
const sandboxNow = () => new Date(Date.now() + time.offset);
const ticks = () => performance.now() + time.ahead; // for what a wound clock makes longer
function setClock({ now, ahead_ms }) {
  Object.assign(time, { ahead: ahead_ms, offset: now - Date.now(), there: true });
  $("time").hidden = false;
  drawClock();
}
function ahead() {
  const minutes = Math.round(time.ahead / 60000);
  const parts = [[Math.floor(minutes / 1440), "day"], [Math.floor(minutes / 60) % 24, "h"], [minutes % 60, "min"]];
  const said = parts.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit === "day" && n > 1 ? "days" : unit}`);
  return said.length ? `${said.join(" ")} ahead` : "as on this machine";
}
function drawClock() {
  const now = sandboxNow();
  $("clock").textContent = now.toTimeString().slice(0, 5);
  $("time-day").textContent = now.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
  $("time-now").textContent = now.toTimeString().slice(0, 8);
  $("time-ahead").textContent = ahead();
  $("time").classList.toggle("wound", time.ahead > 0);
}
async function readClock() {
  try {
    const answer = await fetch("/phone/clock.json", { cache: "no-store", credentials: "omit" });
    if (answer.ok) setClock(await answer.json());
  } catch { /* the panels that show data say so */ }
}
async function wind(seconds) {
  const answer = await fetch("/phone/clock", {
    method: "POST", body: JSON.stringify({ forward_s: seconds }), cache: "no-store", credentials: "omit",
    headers: { "content-type": "application/json" },
  }).catch(() => null);
  if (!answer?.ok) return void ($("time-ahead").textContent = "The server did not answer.");
  setClock(await answer.json());
  $("time-said").textContent = `It is now ${$("time-day").textContent}, ${$("time-now").textContent}.`;
  drawGauges();
  look();
}
for (const button of document.querySelectorAll("[data-wind]")) button.addEventListener("click", () => wind(Number(button.dataset.wind)));
