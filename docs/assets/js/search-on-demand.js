// The theme fetches the whole search index with every page. This waits with it until
// somebody turns to the search.
(function () {
  "use strict";
  const wanted = new Promise((resolve) => {
    if (new URLSearchParams(location.search).has("q")) resolve();
    document.addEventListener("focusin", (event) => {
      if (event.target.closest("[data-md-component=search]")) resolve();
    });
  });
  const send = XMLHttpRequest.prototype.send;
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.isSearchIndex = String(url).endsWith("search_index.json");
    open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    if (this.isSearchIndex) wanted.then(() => send.call(this, body));
    else send.call(this, body);
  };
})();
