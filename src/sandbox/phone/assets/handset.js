"use strict";
// The handset: screen, keys and the SIM in it.
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
  $("drop").disabled = !dialog;
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
  fetchTexts();
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
