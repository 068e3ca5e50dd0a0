// Draws the pictures of the widgets as SVG, in pixels of the page, so that letters keep
// their size on a phone. Colours and dashes are in widgets.css.
(function () {
  "use strict";
  const NAMESPACE = "http://www.w3.org/2000/svg";

  function shape(name, attributes = {}, text = "") {
    const made = document.createElementNS(NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  }

  // Round numbers from `from` to `to`, about `count` of them.
  function ticks(from, to, count) {
    const rough = (to - from) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    const first = Math.ceil(from / step - 1e-9);
    const last = Math.floor(to / step + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, n) => (first + n) * step);
  }

  class Chart {
    // `x` and `y` are the ranges of the values, `label` names the picture.
    constructor({ width, height, label, x = [0, 1], y = [0, 1], margin = {} }) {
      Object.assign(this, { width, height, x, y });
      this.margin = { left: 48, right: 12, top: 12, bottom: 40, ...margin };
      this.svg = shape("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
      this.svg.setAttribute("role", "img");
      this.svg.setAttribute("aria-label", label);
    }

    get right() {
      return this.width - this.margin.right;
    }

    get bottom() {
      return this.height - this.margin.bottom;
    }

    xAt(value) {
      const share = (value - this.x[0]) / (this.x[1] - this.x[0]);
      return this.margin.left + share * (this.right - this.margin.left);
    }

    yAt(value) {
      const share = (value - this.y[0]) / (this.y[1] - this.y[0]);
      return this.bottom - share * (this.bottom - this.margin.top);
    }

    add(name, attributes, text) {
      return this.svg.appendChild(shape(name, attributes, text));
    }

    text(x, y, text, kind = "", anchor = "middle") {
      return this.add("text", { x, y, class: kind, "text-anchor": anchor }, text);
    }

    // `write` turns a value into the text of its tick.
    xAxis(values, title, write = String) {
      for (const value of values) {
        this.text(this.xAt(value), this.bottom + 16, write(value), "tick");
      }
      this.add("line", {
        x1: this.margin.left, x2: this.right, y1: this.bottom, y2: this.bottom, class: "axis",
      });
      this.text((this.margin.left + this.right) / 2, this.height - 6, title, "title");
    }

    yAxis(values, title, write = String) {
      for (const value of values) {
        const y = this.yAt(value);
        this.add("line", { x1: this.margin.left, x2: this.right, y1: y, y2: y, class: "grid" });
        this.text(this.margin.left - 6, y + 4, write(value), "tick", "end");
      }
      const middle = (this.margin.top + this.bottom) / 2;
      const turned = this.text(0, 0, title, "title");
      turned.setAttribute("transform", `translate(12 ${middle}) rotate(-90)`);
    }

    path(points, kind) {
      const places = points.map(([x, y]) => `${this.xAt(x).toFixed(2)} ${this.yAt(y).toFixed(2)}`);
      return this.add("path", { d: `M${places.join("L")}`, class: `curve ${kind}` });
    }

    // What lies outside the axes is not drawn.
    clip(id, elements) {
      const area = shape("clipPath", { id });
      area.append(shape("rect", {
        x: this.margin.left, y: this.margin.top,
        width: this.right - this.margin.left, height: this.bottom - this.margin.top,
      }));
      this.svg.append(area);
      for (const element of elements) element.setAttribute("clip-path", `url(#${id})`);
    }

    rectangle(left, top, width, height, kind, more = {}) {
      const size = { width: Math.max(width, 0), height: Math.max(height, 0) };
      return this.add("rect", { x: left, y: top, ...size, class: kind, ...more });
    }
  }

  // What the lines and bars of a picture stand for: `[["series-1", "AdamW"], ...]`.
  function legend(entries) {
    const list = document.createElement("div");
    list.className = "widget-legend";
    for (const [kind, text] of entries) {
      const item = document.createElement("span");
      const sample = shape("svg", { width: 28, height: 14, "aria-hidden": "true" });
      if (kind.startsWith("bar")) sample.append(shape("rect", { x: 7, y: 1, width: 14, height: 12, class: kind }));
      else sample.append(shape("path", { d: "M1 7L27 7", class: `curve ${kind}` }));
      item.append(sample, text);
      list.append(item);
    }
    return list;
  }

  window.widgetChart = { Chart, legend, ticks };
})();
