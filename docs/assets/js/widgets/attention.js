// Attention of the trained text model: one head as a heat map, one row of it as bars.
(function () {
  "use strict";
  const { Chart } = window.widgetChart;
  const { softmax, sign } = window.textModel;
  const BARS = 90; // pixels
  const LETTERS = 22;

  // The record has the scores that the mask leaves: row t has the keys 0 to t.
  function compute({ layer, head, token }, data) {
    const rows = data.attention_scores[layer][head];
    const weights = rows.map((row, t) => [...softmax(row), ...rows.slice(t + 1).map(() => 0)]); // [10b] [10c]
    return { weights, row: weights[token] };
  }

  const letter = (text, place) => sign(text.charCodeAt(place));
  const back = (count) => (count === 1 ? "the byte before it" : `${count} bytes back`);

  function say({ row }, { layer, head, token }, { text }) {
    const most = row.indexOf(Math.max(...row));
    const where = most === token ? "itself" : `“${letter(text, most)}”, ${back(token - most)}`;
    return `Layer ${layer}, head ${head}: byte ${token}, “${letter(text, token)}”, reads most from ` +
      `${where}, with the weight ${row[most].toFixed(2)}. It can see ${token + 1} of ` +
      `${text.length} bytes; the mask hides the later ones.`;
  }

  function draw(width, { weights, row: chosen }, { token }, { text }, set) {
    const count = weights.length;
    const side = Math.max(8, Math.min(20, Math.floor((width - 2 * LETTERS) / count)));
    const left = (width - side * count) / 2;
    const top = BARS + LETTERS + 8;
    const height = top + side * count + 24;
    const chart = new Chart({ width, height, label: "Attention weights: a row for every query, a column for every key" });
    const x = (key) => left + key * side;
    const y = (query) => top + query * side;
    weights.forEach((row, query) => {
      chart.text(left - 10, y(query + 0.5) + 4, letter(text, query), query === token ? "byte now" : "byte")
        .style.fontSize = `${Math.min(13, side)}px`;
      chart.rectangle(x(0), y(query), side * (query + 1) - 1, side - 1, "seen");
      row.slice(0, query + 1).forEach((weight, key) => {
        chart.rectangle(x(key), y(query), side - 1, side - 1, "heat", { "fill-opacity": weight.toFixed(3) });
      });
      const hit = chart.rectangle(x(0), y(query), side * count, side, "hit");
      hit.addEventListener("click", () => set({ token: query }));
    });
    chosen.forEach((weight, key) => {
      chart.rectangle(x(key) + 1, BARS - weight * (BARS - 18), side - 3, weight * (BARS - 18), "bar-1");
      chart.text(x(key + 0.5), BARS + 15, letter(text, key), key > token ? "byte cut" : "byte");
      if (weight >= 0.2) chart.text(x(key + 0.5), BARS - weight * (BARS - 18) - 3, weight.toFixed(2), "tick");
    });
    chart.rectangle(x(0) - 1, y(token) - 1, side * (token + 1) + 1, side + 1, "chosen");
    chart.text(width / 2, height - 6, "each row reads, each column is read", "title");
    return [chart.svg];
  }

  window.showWidget("attention", {
    controls: (data) => [
      { key: "layer", label: "Layer", options: data.attention_scores.map((_, n) => [n, n]) },
      { key: "head", label: "Head", options: data.attention_scores[0].map((_, n) => [n, n]) },
      {
        key: "token", label: "Query", min: 0, max: data.text.length - 1, step: 1,
        show: (place) => `byte ${place}, ${letter(data.text, place)}`,
      },
    ],
    compute,
    say,
    draw,
  });
})();
