// RoPE: every pair of channels as a hand on a dial, with and without NTK-aware scaling.
(function () {
  "use strict";
  const { Chart, legend, ticks } = window.widgetChart;
  const NARROWEST = 82; // pixels that a dial and its text need
  const LARGEST = 38;
  const TEXT = 44;

  // A power of ten; the exponents here are whole and not positive.
  const power = (exponent) =>
    exponent ? `10⁻${[...String(-exponent)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("")}` : "1";

  function frequencies(width, base) {
    return Array.from({ length: width / 2 }, (_, i) => base ** ((-2 * i) / width)); // [8a]
  }

  function compute({ width, base, alpha, position }) {
    const stretched = base * alpha ** (width / (width - 2)); // [9a]
    const theta = frequencies(width, stretched);
    const angles = theta.map((frequency) => position * frequency); // [7a]
    return {
      base: stretched,
      unscaled: frequencies(width, base),
      frequencies: theta,
      cos: angles.map(Math.cos),
      sin: angles.map(Math.sin),
    };
  }

  const turns = (position, theta) => ((position * theta) / (2 * Math.PI)).toPrecision(2);

  function say(values, { alpha, base, position }) {
    const last = values.frequencies.length - 1;
    const slowest = turns(position, values.unscaled[last]);
    const here = `At position ${position} the fastest pair has made ` +
      `${turns(position, values.frequencies[0])} turns, the slowest `;
    if (alpha === 1) return `${here}${slowest}. Nothing is stretched: α is 1.`;
    return `${here}${turns(position, values.frequencies[last])} instead of ${slowest}. ` +
      `With α = ${alpha} the base ${base} has become ${Math.round(values.base)}: the ` +
      `slowest pair turns ${alpha} times more slowly, the fastest as before.`;
  }

  function dials(width, values, position) {
    const count = values.frequencies.length;
    const rows = Math.ceil(count / Math.floor(width / NARROWEST));
    const columns = Math.ceil(count / rows);
    const radius = Math.min(LARGEST, width / columns / 2 - 12);
    const row = 2 * radius + TEXT;
    const label = `Hands of ${count} pairs at position ${position}`;
    const chart = new Chart({ width, height: rows * row, label });
    values.frequencies.forEach((theta, pair) => {
      const x = ((pair % columns) + 0.5) * (width / columns);
      const y = Math.floor(pair / columns) * row + radius + 4;
      chart.add("circle", { cx: x, cy: y, r: radius, class: "dial" });
      const hand = (angle, kind) => chart.add("path", {
        d: `M${x} ${y}L${x + radius * Math.cos(angle)} ${y - radius * Math.sin(angle)}`,
        class: `curve ${kind}`,
      });
      hand(position * values.unscaled[pair], "series-2");
      hand(position * theta, "series-1");
      chart.text(x, y + radius + 15, `pair ${pair}`, "tick");
      chart.text(x, y + radius + 29, `${turns(position, theta)} turns`, "tick");
    });
    return chart.svg;
  }

  function curve(width, values) {
    const log = (list) => list.map((theta, pair) => [pair, Math.log10(theta)]);
    const last = values.frequencies.length - 1;
    const lowest = Math.min(...values.frequencies.map(Math.log10), -1);
    const chart = new Chart({
      width, height: 190, label: "Frequency of every pair, on a logarithmic scale",
      x: [0, last], y: [lowest, 0], margin: { left: 60 },
    });
    const heights = ticks(lowest, 0, 4).filter(Number.isInteger);
    chart.yAxis(heights, "θ, radians per position", power);
    chart.xAxis(ticks(0, last, Math.min(last, 8)).filter(Number.isInteger), "pair i");
    chart.path(log(values.unscaled), "series-2");
    chart.path(log(values.frequencies), "series-1");
    return chart.svg;
  }

  window.showWidget("rope", {
    controls: () => [
      { key: "position", label: "Position m", min: 0, max: 256, step: 1, show: String },
      { key: "alpha", label: "Stretch α", min: 1, max: 16, step: 0.5, show: String },
      { key: "width", label: "Head width d", options: [4, 8, 16, 32].map((d) => [d, d]) },
      { key: "base", label: "Base b", options: [100, 10000, 500000].map((b) => [b, b]) },
    ],
    compute,
    say,
    draw: (width, values, { position, alpha }) => [
      dials(width, values, position),
      curve(width, values),
      legend([["series-1", `with α = ${alpha}`], ["series-2", "without scaling (α = 1)"]]),
    ],
  });
})();
