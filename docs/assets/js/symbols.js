// Lights up all places of a symbol: in tables, equations, derivations and code.
// By mouse: point at one. By keyboard: the buttons of a table, or the arrow keys in an
// equation or a listing that has the focus.
(function () {
  "use strict";
  const note = document.createElement("div");
  note.className = "symbol-note";
  note.setAttribute("role", "status");
  note.hidden = true;

  function placesOf(key) {
    return document.querySelectorAll(`[data-symbol="${CSS.escape(key)}"]`);
  }

  // A page may have several tables; the one above a place is the one that holds there.
  function rowFor(place) {
    const key = CSS.escape(place.dataset.symbol);
    const rows = [...document.querySelectorAll(`[data-symbol-row="${key}"]`)];
    const above = rows.filter(
      (row) =>
        row.contains(place) ||
        row.compareDocumentPosition(place) & Node.DOCUMENT_POSITION_FOLLOWING
    );
    return above.pop() || rows[0];
  }

  function clear() {
    for (const lit of document.querySelectorAll(".lit")) lit.classList.remove("lit");
    note.hidden = true;
  }

  function light(place) {
    clear();
    const row = rowFor(place);
    if (!row) return;
    for (const other of placesOf(place.dataset.symbol)) other.classList.add("lit");
    const words = document.createElement("span");
    words.textContent = `${row.dataset.shape}: ${row.dataset.meaning}`;
    note.replaceChildren(...[...row.querySelectorAll("math, code")].map(plain), words);
    note.hidden = false;
  }

  // A copy that is no place of the symbol itself.
  function plain(element) {
    const copy = element.cloneNode(true);
    for (const part of [copy, ...copy.querySelectorAll("[data-symbol]")]) {
      part.removeAttribute("data-symbol");
      part.classList.remove("lit");
    }
    return copy;
  }

  function symbolAt(target) {
    return target instanceof Element ? target.closest("[data-symbol]") : null;
  }

  // With the focus on an equation or a listing, arrows go from symbol to symbol.
  function walk(event) {
    const forward = event.key === "ArrowRight";
    if (!forward && event.key !== "ArrowLeft") return;
    const container = event.target.closest(".equation, pre.listing");
    if (!container || event.target.closest(".walk")) return;
    const symbols = [...container.querySelectorAll("[data-symbol]")];
    if (!symbols.length) return;
    const now = symbols.indexOf(event.target);
    const next = symbols[now < 0 ? (forward ? 0 : symbols.length - 1) : now + (forward ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.setAttribute("tabindex", "-1");
    next.focus();
  }

  document.body.append(note);
  document.addEventListener("pointerover", (event) => {
    const place = symbolAt(event.target);
    if (place) light(place);
    else if (!symbolAt(document.activeElement)) clear();
  });
  document.addEventListener("focusin", (event) => {
    const place = symbolAt(event.target);
    if (place) light(place);
  });
  document.addEventListener("focusout", clear);
  document.addEventListener("keydown", walk);
})();
