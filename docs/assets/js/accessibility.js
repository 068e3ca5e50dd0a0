// Names and roles that the theme leaves out.
(function () {
  "use strict";
  const search = document.querySelector("[data-md-component=search][role=dialog]");
  if (search) search.setAttribute("aria-label", "Search");

  // The theme wraps the copy button of a listing in a `nav`, which is no way to anywhere,
  // and does so when the listing comes into view.
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        if (node instanceof Element && node.matches("nav.md-code__nav")) {
          node.setAttribute("role", "none");
        }
      }
    }
  }).observe(document.body, { childList: true, subtree: true });
})();
