// Warmup and cosine decay: the whole curve, and one step of it.
(function () {
  "use strict";
  const { Chart, ticks } = window.widgetChart;
  const BEYOND = 1.15; // the picture goes on past the last step: the rate stays there

  function rate(t, { base, minimum, warmup, total }) {
    if (t < warmup) return (base * t) / warmup; // [18a]
    const u = Math.min(1, Math.max(0, (t - warmup) / (total - warmup))); // [19a]
    return minimum + ((base - minimum) * (1 + Math.cos(Math.PI * u))) / 2; // [19b]
  }

  function compute(settings) {
    const last = Math.round(settings.total * BEYOND);
    const rates = Array.from({ length: last }, (_, n) => rate(n + 1, settings));
    return { rate: rate(settings.step, settings), rates };
  }

  function phase({ step, warmup, total }) {
    if (step < warmup) return `in the warmup, ${Math.round((100 * step) / warmup)} % of it`;
    if (step >= total) return "past the end";
    return `in the decay, ${Math.round((100 * (step - warmup)) / (total - warmup))} % of it`;
  }

  function say(values, settings) {
    const share = Math.round((100 * values.rate) / settings.base);
    return `Step ${settings.step} is ${phase(settings)}: the learning rate is ` +
      `${values.rate.toPrecision(3)}, ${share} % of the base rate.`;
  }

  function draw(width, values, settings) {
    const last = values.rates.length;
    const chart = new Chart({
      width, height: 270, x: [0, last], y: [0, settings.base * 1.08],
      label: `Learning rate of steps 1 to ${last}`, margin: { left: 66 },
    });
    chart.yAxis(ticks(0, settings.base, 4), "learning rate", (y) => String(+y.toPrecision(2)));
    chart.xAxis(ticks(0, last, width < 500 ? 4 : 8), "step t");
    for (const [step, name] of [[settings.warmup, "end of warmup"], [settings.total, "end"]]) {
      chart.path([[step, 0], [step, settings.base * 1.02]], "guide");
      chart.text(chart.xAt(step), chart.yAt(settings.base * 1.04), name, "tick");
    }
    const stride = Math.max(1, Math.floor(last / 500));
    const steps = values.rates.map((_, n) => n).filter((n) => n % stride === 0 || n + 1 === settings.warmup);
    chart.path(steps.map((n) => [n + 1, values.rates[n]]), "series-1");
    const [x, y] = [chart.xAt(settings.step), chart.yAt(values.rate)];
    chart.path([[settings.step, 0], [settings.step, values.rate]], "series-2");
    chart.add("circle", { cx: x, cy: y, r: 6, class: "mark-2" });
    return [chart.svg];
  }

  const plain = (value) => String(+value.toPrecision(3));
  window.showWidget("schedule", {
    controls: () => [
      { key: "step", label: "Step t", min: 1, max: 2300, step: 1, show: String },
      { key: "warmup", label: "Steps of warmup", min: 0, max: 1000, step: 10, show: String },
      { key: "total", label: "Last step T", min: 100, max: 2000, step: 10, show: String },
      { key: "base", label: "Base rate", min: 0.0001, max: 0.01, step: 0.0001, show: plain },
      { key: "minimum", label: "Minimum", min: 0, max: 0.005, step: 0.0001, show: plain },
    ],
    // The decay needs a step after the warmup, a floor below the base, a step in sight.
    settle(settings, key) {
      if (settings.warmup >= settings.total) {
        if (key === "total") settings.warmup = settings.total - 10;
        else settings.total = settings.warmup + 10;
      }
      settings.minimum = Math.min(settings.minimum, settings.base);
      settings.step = Math.min(settings.step, Math.round(settings.total * BEYOND));
    },
    compute,
    say,
    draw,
  });
})();
