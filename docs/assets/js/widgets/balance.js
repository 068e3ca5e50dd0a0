// Load balance: how many tokens go where, how sure the router is, and what it costs.
(function () {
  "use strict";
  const { Chart, legend } = window.widgetChart;
  const EXPERTS = [0, 1, 2, 3];
  const key = (expert) => `tokens${expert}`;

  // Every token chooses one expert and gives it the probability `sure`; the other
  // experts share the rest.
  function compute(settings) {
    const { sure, alpha } = settings;
    const counts = EXPERTS.map((expert) => settings[key(expert)]);
    const tokens = counts.reduce((a, b) => a + b);
    const others = (1 - sure) / (EXPERTS.length - 1);
    const load = counts.map((count) => count / tokens); // [13a]
    const mean = counts.map((count) => (count * sure + (tokens - count) * others) / tokens); // [13b]
    const product = load.reduce((sum, f, expert) => sum + f * mean[expert], 0);
    return {
      load,
      mean,
      loss: alpha * EXPERTS.length * product, // [13c]
      gradient: load.map((f) => (alpha * EXPERTS.length * f) / tokens),
    };
  }

  function say({ load, mean, loss }, { alpha }) {
    const ratio = loss / alpha;
    const busiest = load.indexOf(Math.max(...load));
    const even = Math.max(...load) - Math.min(...load) < 1e-9;
    const start = `The loss is ${loss.toPrecision(3)}, ${ratio.toFixed(2)} times α. `;
    if (even) return `${start}All loads are equal, and then it is α, however sure the router is.`;
    const where = `Expert ${busiest} has ${Math.round(100 * load[busiest])} % of the tokens and ` +
      `${Math.round(100 * mean[busiest])} % of the probability, so its probability is pushed ` +
      "down most.";
    const unsure = Math.max(...mean) - Math.min(...mean) < 1e-9;
    return unsure ? `${start}${where} But all P are equal, and the loss does not see the loads.` : start + where;
  }

  function draw(width, { load, mean }) {
    const chart = new Chart({
      width, height: 240, x: [0, EXPERTS.length], y: [0, 1],
      label: "Load f and mean probability P of every expert",
    });
    chart.yAxis([0, 0.25, 0.5, 0.75, 1], "share");
    chart.xAxis([], "");
    const even = 1 / EXPERTS.length;
    chart.path([[0, even], [EXPERTS.length, even]], "guide");
    const space = chart.xAt(1) - chart.xAt(0);
    const bar = (value, left, kind) => {
      const top = chart.yAt(value);
      chart.rectangle(left, top, space * 0.32, chart.bottom - top, kind);
      chart.text(left + space * 0.16, top - 5, value.toFixed(2), "tick");
    };
    for (const expert of EXPERTS) {
      bar(load[expert], chart.xAt(expert) + space * 0.15, "bar-1");
      bar(mean[expert], chart.xAt(expert) + space * 0.53, "bar-2");
      chart.text(chart.xAt(expert + 0.5), chart.bottom + 17, `expert ${expert}`, "tick");
    }
    return [chart.svg, legend([["bar-1", "load f"], ["bar-2", "mean probability P"], ["guide", "uniform, 1/E"]])];
  }

  const all = (count) => Object.fromEntries(EXPERTS.map((expert) => [key(expert), count(expert)]));
  window.showWidget("balance", {
    controls: () => [
      ...EXPERTS.map((expert) => ({
        key: key(expert), label: `Tokens of expert ${expert}`, min: 0, max: 32, step: 1, show: String,
      })),
      { key: "sure", label: "Probability of the chosen", min: 0.25, max: 1, step: 0.05, show: (x) => x.toFixed(2) },
      { key: "alpha", label: "Weight α", options: [0.001, 0.01, 0.1].map((a) => [a, a]) },
      { label: "Even loads", press: () => all(() => 8) },
      { label: "Collapse onto expert 0", press: () => all((expert) => (expert ? 0 : 32)) },
    ],
    // Without a token there is no load.
    settle(settings, changed) {
      if (EXPERTS.every((expert) => settings[key(expert)] === 0)) settings[changed] = 1;
    },
    compute,
    say,
    draw,
  });
})();
