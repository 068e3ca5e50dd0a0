// Temperature and top-p on what the trained text model expects after a prompt.
(function () {
  "use strict";
  const { Chart, legend, ticks } = window.widgetChart;
  const { softmax, sign } = window.textModel;
  const BAR = 26; // pixels

  function sharpened(logits, temperature) {
    const largest = Math.max(...logits);
    if (temperature === 0) {
      const best = logits.indexOf(largest);
      return logits.map((_, v) => (v === best ? 1 : 0));
    }
    return softmax(logits.map((z) => (z - largest) / temperature)); // [20a]
  }

  function compute({ prompt, temperature, p }, data) {
    const probabilities = sharpened(data.next_byte[prompt].logits, temperature);
    // The sort is stable: of equal ones the lower byte stays first.
    const order = probabilities.map((_, v) => v);
    order.sort((a, b) => probabilities[b] - probabilities[a]);
    let mass = 0;
    let kept = 0;
    while (kept < order.length && mass < p) mass += probabilities[order[kept++]]; // [21a]
    const q = probabilities.map(() => 0);
    for (const v of order.slice(0, kept)) q[v] = probabilities[v] / mass; // [21b]
    return { probabilities, q, order, kept };
  }

  function say({ probabilities, q, order, kept }, { prompt, temperature, p }, data) {
    const bits = probabilities.reduce((sum, x) => (x > 0 ? sum - x * Math.log2(x) : sum), 0);
    const best = order[0];
    const cut = kept === 1 ? "keeps that byte alone" : `keeps ${kept} of 256 bytes`;
    return `After “${data.next_byte[prompt].prompt}”, at temperature ${temperature}, ` +
      `“${sign(best)}” is the likeliest byte, with ${probabilities[best].toFixed(3)}; the ` +
      `entropy is ${Math.abs(bits).toFixed(2)} bits. P = ${p} ${cut}; “${sign(best)}” then ` +
      `has ${q[best].toFixed(3)}.`;
  }

  function draw(width, { probabilities, q, order, kept }) {
    const shown = order.slice(0, Math.min(32, Math.floor((width - 70) / BAR)));
    const highest = Math.max(q[shown[0]], 0.1) * 1.05;
    const chart = new Chart({
      width, height: 280, x: [0, shown.length], y: [0, highest],
      label: `Probabilities of the ${shown.length} likeliest bytes`,
    });
    chart.yAxis(ticks(0, highest, 5), "probability", (y) => String(+y.toFixed(2)));
    chart.xAxis([], "bytes, the likeliest first");
    const bar = (byte, place, share, height, kind) => {
      const space = chart.xAt(1) - chart.xAt(0);
      const top = chart.yAt(height);
      const left = chart.xAt(place + 0.5) - (space * share) / 2;
      chart.rectangle(left, top, space * share, chart.bottom - top, kind);
    };
    shown.forEach((byte, place) => {
      bar(byte, place, 0.7, q[byte], "bar-1");
      bar(byte, place, 0.84, probabilities[byte], "bar-outline");
      const kind = `byte${place < kept ? "" : " cut"}`;
      chart.text(chart.xAt(place + 0.5), chart.bottom + 17, sign(byte), kind);
    });
    if (kept < shown.length) {
      chart.path([[kept, 0], [kept, highest]], "guide");
      chart.text(chart.xAt(kept) + 6, chart.margin.top + 12, "cut off →", "tick", "start");
    }
    return [
      chart.svg,
      legend([["bar-outline", "p, after the temperature"], ["bar-1", "q, after top-p"]]),
    ];
  }

  window.showWidget("sampling", {
    controls: (data) => [
      { key: "prompt", label: "Prompt", options: data.next_byte.map(({ prompt }, n) => [n, `“${prompt}”`]) },
      { key: "temperature", label: "Temperature τ", min: 0, max: 2, step: 0.05, show: (x) => x.toFixed(2) },
      { key: "p", label: "Mass to keep P", min: 0.05, max: 1, step: 0.01, show: (x) => x.toFixed(2) },
    ],
    compute,
    say,
    draw,
  });
})();
