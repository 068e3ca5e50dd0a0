// What the widgets share that show the trained text model.
window.textModel = {
  softmax(scores) {
    const largest = Math.max(...scores);
    const e = scores.map((score) => Math.exp(score - largest)); // [6a]
    const sum = e.reduce((a, b) => a + b);
    return e.map((part) => part / sum); // [6b]
  },

  // A byte as one sign that can be seen.
  sign(byte) {
    if (byte === 32) return "␣";
    if (byte === 10) return "↵";
    return byte > 32 && byte < 127 ? String.fromCharCode(byte) : byte.toString(16);
  },
};
