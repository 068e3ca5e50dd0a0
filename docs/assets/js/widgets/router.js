// Routing in the trained text model: which experts see which byte of a text.
(function () {
  "use strict";
  const { Chart, legend } = window.widgetChart;
  const { softmax, sign } = window.textModel;
  const ROW = 26; // pixels
  const TOP = 30;
  const LEFT = 66;

  function route(logits, topK) {
    const p = softmax(logits); // [12a]
    // The sort is stable: of equal ones the lower index is chosen first.
    const chosen = p.map((_, expert) => expert).sort((a, b) => p[b] - p[a]).slice(0, topK); // [12b]
    const mass = chosen.reduce((sum, expert) => sum + p[expert], 0);
    return { p, chosen, weights: chosen.map((expert) => p[expert] / mass) }; // [12c]
  }

  function compute({ layer, top_k: topK }, data) {
    const rows = data.router_logits[layer].map((logits) => route(logits, topK));
    return {
      probabilities: rows.map((row) => row.p),
      indices: rows.map((row) => row.chosen),
      weights: rows.map((row) => row.weights),
    };
  }

  const letter = (text, place) => sign(text.charCodeAt(place));

  function say({ probabilities, indices, weights }, { layer, token }, { text }) {
    const chosen = indices[token];
    const names = chosen.map((expert, k) => `${expert} (weight ${weights[token][k].toFixed(2)})`);
    const list = names.length > 1 ? `experts ${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : `expert ${names[0]}`;
    const mass = chosen.reduce((sum, expert) => sum + probabilities[token][expert], 0);
    const same = [...text].filter((byte) => byte === text[token]).length;
    const first = indices.filter((row, n) => text[n] === text[token] && row[0] === chosen[0]).length;
    const others = same === 1 ? "" : ` Of the ${same} “${letter(text, token)}” of the text, ` +
      `${first} have expert ${chosen[0]} first.`;
    return `Layer ${layer}: byte ${token}, “${letter(text, token)}”, goes to ${list}. Before the ` +
      `choice they had ${mass.toFixed(2)} of the probability.${others}`;
  }

  function grid(width, { probabilities, indices }, token, text, set) {
    const experts = probabilities[0].length;
    const cell = Math.min(30, (width - LEFT - 4) / text.length);
    const chart = new Chart({ width, height: TOP + ROW * experts + 8, label: "Probability of every expert for every byte; dots mark the chosen" });
    const x = (place) => LEFT + place * cell;
    for (let expert = 0; expert < experts; expert++) {
      chart.text(LEFT - 8, TOP + ROW * (expert + 0.5) + 4, `expert ${expert}`, "tick", "end");
    }
    probabilities.forEach((row, place) => {
      chart.text(x(place + 0.5), TOP - 10, letter(text, place), place === token ? "byte now" : "byte");
      row.forEach((p, expert) => {
        chart.rectangle(x(place), TOP + ROW * expert, cell - 1, ROW - 1, "heat", { "fill-opacity": p.toFixed(3) });
      });
      indices[place].forEach((expert, k) => chart.add("circle", {
        cx: x(place + 0.5) - 0.5, cy: TOP + ROW * (expert + 0.5), r: k ? 2.5 : 4.5, class: "dot",
      }));
      const hit = chart.rectangle(x(place), 0, cell, TOP + ROW * experts, "hit");
      hit.addEventListener("click", () => set({ token: place }));
    });
    chart.rectangle(x(token) - 1, TOP - 1, cell + 1, ROW * experts + 1, "chosen");
    return chart.svg;
  }

  function bars(width, { probabilities, indices, weights }, token) {
    const experts = probabilities[token].length;
    const chart = new Chart({
      width, height: 34 * experts + 8, x: [0, 1], margin: { left: LEFT, right: 120 },
      label: "Probability and weight of every expert for the chosen byte",
    });
    probabilities[token].forEach((p, expert) => {
      const y = 34 * expert + 4;
      const k = indices[token].indexOf(expert);
      const weight = k < 0 ? 0 : weights[token][k];
      chart.text(LEFT - 8, y + 17, `expert ${expert}`, "tick", "end");
      chart.rectangle(LEFT, y + 3, chart.xAt(weight) - LEFT, 20, "bar-1");
      chart.rectangle(LEFT, y, chart.xAt(p) - LEFT, 26, "bar-outline");
      const says = `p ${p.toFixed(2)}${k < 0 ? "" : `, w ${weight.toFixed(2)}`}`;
      chart.text(chart.xAt(Math.max(p, weight)) + 8, y + 17, says, "tick", "start");
    });
    return chart.svg;
  }

  window.showWidget("router", {
    controls: (data) => [
      { key: "layer", label: "Layer", options: data.router_logits.map((_, n) => [n, n]) },
      { key: "top_k", label: "Experts per byte K", options: data.router_logits[0][0].map((_, n) => [n + 1, n + 1]) },
      {
        key: "token", label: "Byte", min: 0, max: data.text.length - 1, step: 1,
        show: (place) => `byte ${place}, ${letter(data.text, place)}`,
      },
    ],
    compute,
    say,
    draw: (width, values, { token }, { text }, set) => [
      grid(width, values, token, text, set),
      bars(width, values, token),
      legend([["bar-outline", "probability p"], ["bar-1", "weight w of a chosen expert"]]),
    ],
  });
})();
