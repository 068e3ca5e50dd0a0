// Names that the theme leaves out.
(function () {
  "use strict";
  const search = document.querySelector("[data-md-component=search][role=dialog]");
  if (search) search.setAttribute("aria-label", "Search");
})();
