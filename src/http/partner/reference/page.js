// The `type` of a problem names its row: /v1/docs#problem-CODE. The viewer draws the table only after it has read the
// document, and adds its own place to the fragment behind a `?`, so the browser does not find the row by itself.
const viewer = document.querySelector("openapi-explorer");

function showProblem() {
  const id = location.hash.slice(1).split("?")[0];
  const row = id.startsWith("problem-") && document.getElementById(id);
  if (!row || row.classList.contains("shown")) return;
  for (const other of document.querySelectorAll("tr.shown")) other.classList.remove("shown");
  row.classList.add("shown");
  viewer.setAttribute("explorer-location", "overview");
  // The viewer scrolls to the top when it is ready, and does not say so: for three seconds the row is brought back, unless
  // the reader moves.
  let turns = 30;
  const timer = setInterval(() => (turns-- > 0 ? row.scrollIntoView({ block: "center" }) : clearInterval(timer)), 100);
  for (const moved of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(moved, () => clearInterval(timer), { once: true });
  }
}

viewer.addEventListener("spec-loaded", showProblem);
addEventListener("hashchange", showProblem);
