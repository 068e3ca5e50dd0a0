// AdamW, Adam with an L2 penalty and SGD with the same penalty, down the same valley.
(function () {
  "use strict";
  const { Chart, legend, ticks } = window.widgetChart;
  const START = [-2, -1.5];
  const MINIMUM = [2, 1];
  const EPS = 1e-8;

  // Loss: ((w1 - 2)^2 + steep (w2 - 1)^2) / 2.
  const slopes = (steep) => [1, steep];
  const gradient = (w, steep) => w.map((value, i) => slopes(steep)[i] * (value - MINIMUM[i]));
  const loss = (w, steep) =>
    w.reduce((sum, value, i) => sum + (slopes(steep)[i] * (value - MINIMUM[i]) ** 2) / 2, 0);

  // All weights from the start on, one pair for every step. `decay` acts on the weight,
  // `penalty` is added to the gradient.
  function adam(settings, decay, penalty) {
    const { rate, beta1, beta2, steep } = settings;
    let w = START;
    let m = [0, 0];
    let v = [0, 0];
    const path = [w];
    for (let t = 1; t <= settings.steps; t++) {
      const g = gradient(w, steep).map((slope, i) => slope + penalty * w[i]);
      m = m.map((old, i) => beta1 * old + (1 - beta1) * g[i]); // [16a]
      v = v.map((old, i) => beta2 * old + (1 - beta2) * g[i] ** 2); // [16b]
      const size = v.map((value) => Math.sqrt(value / (1 - beta2 ** t)) + EPS); // [16c]
      w = w.map((value, i) =>
        value - rate * decay * value - (rate * (m[i] / (1 - beta1 ** t))) / size[i]); // [16d]
      path.push(w);
    }
    return path;
  }

  function sgd({ sgd_rate: rate, decay, steep, steps }) {
    const path = [START];
    for (let t = 1; t <= steps; t++) {
      const w = path[t - 1];
      const g = gradient(w, steep);
      path.push(w.map((value, i) => value - rate * (g[i] + decay * value)));
    }
    return path;
  }

  function compute(settings) {
    const { decay } = settings;
    const paths = [adam(settings, decay, 0), adam(settings, 0, decay), sgd(settings)];
    return { paths, ends: paths.map((path) => path.at(-1)) };
  }

  const NAMES = ["AdamW", "Adam with L2", "SGD with L2"];

  function say(values, { steps, steep, decay, sgd_rate: rate }) {
    const ends = values.ends.map((w, n) => {
      if (Math.max(...w.map(Math.abs)) > 100) return `${NAMES[n]} has run away`;
      return `${NAMES[n]} at (${w.map((x) => x.toFixed(2)).join(", ")}) with loss ${loss(w, steep).toFixed(3)}`;
    });
    const limit = rate * (steep + decay) > 2
      ? ` SGD diverges: its rate times the curvature is ${(rate * (steep + decay)).toFixed(1)}, above 2.` : "";
    const same = decay === 0 ? " Without decay AdamW and Adam with L2 are the same." : "";
    return `After ${steps} steps: ${ends.join("; ")}.${same}${limit}`;
  }

  function draw(width, values, { steep }) {
    const chart = new Chart({
      width, height: Math.min(420, width * 0.8), x: [-3, 4], y: [-2.5, 3],
      label: "Paths of three optimisers on contours of a valley",
    });
    chart.yAxis(ticks(-2, 3, 5), "w₂");
    chart.xAxis(ticks(-3, 4, 7), "w₁");
    const inside = [];
    for (const level of [0.05, 0.5, 2, 5, 10, 20, 40]) {
      inside.push(chart.add("ellipse", {
        cx: chart.xAt(MINIMUM[0]), cy: chart.yAt(MINIMUM[1]), class: "contour",
        rx: chart.xAt(Math.sqrt(2 * level)) - chart.xAt(0),
        ry: chart.yAt(0) - chart.yAt(Math.sqrt((2 * level) / steep)),
      }));
    }
    const near = ([x, y]) => Math.abs(x) < 50 && Math.abs(y) < 50;
    for (const series of [3, 2, 1]) {
      const whole = values.paths[series - 1];
      const end = whole.findIndex((w) => !near(w));
      const path = end < 0 ? whole : whole.slice(0, end);
      inside.push(chart.path(path, `series-${series}`));
      const [x, y] = [chart.xAt(path.at(-1)[0]), chart.yAt(path.at(-1)[1])];
      inside.push(chart.add("circle", { cx: x, cy: y, r: 5, class: `mark-${series}` }));
    }
    chart.clip("widget-adamw-clip", inside);
    chart.text(chart.xAt(START[0]), chart.yAt(START[1]) + 18, "start", "tick");
    chart.text(chart.xAt(MINIMUM[0]), chart.yAt(MINIMUM[1]) + 5, "+", "byte");
    chart.text(chart.xAt(MINIMUM[0]) + 10, chart.yAt(MINIMUM[1]) - 8, "minimum", "tick", "start");
    return [chart.svg, legend(NAMES.map((name, n) => [`series-${n + 1}`, name]))];
  }

  const slider = (key, label, min, max, step) => ({ key, label, min, max, step, show: String });
  window.showWidget("adamw", {
    controls: () => [
      slider("steps", "Steps", 0, 300, 1),
      slider("decay", "Decay λ", 0, 1, 0.05),
      slider("rate", "Rate η of both Adams", 0.01, 0.5, 0.01),
      slider("sgd_rate", "Rate η of SGD", 0.001, 0.15, 0.001),
      slider("steep", "Curvature across the valley", 1, 50, 1),
      slider("beta1", "β₁", 0, 0.99, 0.01),
      { key: "beta2", label: "β₂", options: [0.5, 0.9, 0.99, 0.999].map((b) => [b, b]) },
    ],
    compute,
    say,
    draw,
  });
})();
