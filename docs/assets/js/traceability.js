// Sorts and filters the traceability matrix. Without this script it is a plain table.
(function () {
  "use strict";
  const table = document.getElementById("traceability-matrix");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const states = [...new Set(rows.map((row) => row.dataset.state))].sort();

  const bar = document.createElement("div");
  bar.className = "matrix-controls";
  const words = document.createElement("input");
  words.type = "search";
  words.placeholder = "Filter by any word";
  words.setAttribute("aria-label", "Filter the matrix by any word");
  const state = document.createElement("select");
  state.setAttribute("aria-label", "Filter the matrix by state");
  state.append(new Option("all states", ""), ...states.map((name) => new Option(name, name)));
  const count = document.createElement("span");
  count.setAttribute("role", "status");
  bar.append(words, state, count);
  table.closest(".table-scroll").before(bar);

  function filter() {
    const wanted = words.value.toLowerCase();
    for (const row of rows) {
      const matches = row.textContent.toLowerCase().includes(wanted);
      row.hidden = !matches || (state.value && row.dataset.state !== state.value);
    }
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = `${shown} of ${rows.length} entries`;
  }

  function sortBy(column, button) {
    const header = button.closest("th");
    const rising = header.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const text = (row) => row.cells[column].textContent.trim();
    const compare = (a, b) => text(a).localeCompare(text(b), "en", { numeric: true });
    rows.sort((a, b) => (rising ? compare(a, b) : compare(b, a)));
    body.append(...rows);
  }

  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    button.addEventListener("click", () => sortBy(column, button));
    header.replaceChildren(button);
  });
  words.addEventListener("input", filter);
  state.addEventListener("change", filter);
  filter();
})();
