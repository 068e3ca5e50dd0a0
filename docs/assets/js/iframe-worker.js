// The search of the theme, when somebody turns to it and not before: until then neither
// its worker nor its index is loaded. And from file://, where browsers start no worker,
// its script runs in a hidden frame instead. (The name of this file tells the theme not
// to load a stand-in of its own from elsewhere.)
(function () {
  "use strict";
  const wanted = new Promise((resolve) => {
    if (/[?&][qh]=/.test(location.search)) resolve();
    document.addEventListener("focusin", (event) => {
      if (event.target.closest("[data-md-component=search]")) resolve();
    });
  });

  // A worker's script in a frame: what it posts comes to us, what we post goes to it.
  class FrameWorker extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "Search";
      document.body.append(frame);
      this.scope = frame.contentWindow;
      this.scope.postMessage = (data) => {
        this.dispatchEvent(new MessageEvent("message", { data }));
      };
      const script = this.scope.document.createElement("script");
      script.src = url;
      this.ready = new Promise((resolve) => {
        script.onload = resolve;
      });
      this.scope.document.body.append(script);
    }

    async postMessage(data) {
      await this.ready;
      this.scope.dispatchEvent(new this.scope.MessageEvent("message", { data }));
    }
  }

  const Runner = location.protocol === "file:" ? FrameWorker : window.Worker;
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.runner = wanted.then(() => {
        const runner = new Runner(url);
        runner.addEventListener("message", ({ data }) => {
          this.dispatchEvent(new MessageEvent("message", { data }));
        });
        return runner;
      });
    }

    async postMessage(data) {
      (await this.runner).postMessage(data);
    }
  };

  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.waits = String(url).endsWith("search_index.json");
    open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    if (this.waits) wanted.then(() => send.call(this, body));
    else send.call(this, body);
  };
})();
