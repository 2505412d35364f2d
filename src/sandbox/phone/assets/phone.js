"use strict";
// Puts the page to work, once everything else is there.
$("mask").addEventListener("change", () => { drawLog(); drawInbox(); });
$("drop").addEventListener("click", cut);
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
  await readClock();
  fillSim();
  fillLogins();
  show("idle");
  drawSim();
  setInterval(() => { drawClock(); drawGauges(); }, 100);
  setInterval(() => { if (!document.hidden && (dialog || performance.now() - activeAt < 60000)) look(); }, 3000);
  const freshen = () => { if (!document.hidden) { readClock(); fetchTexts(); } };
  setInterval(freshen, 1000);
  document.addEventListener("visibilitychange", freshen);
})();
