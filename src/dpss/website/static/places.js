/* The place of each headline number among matrices of the same species and technology. */
"use strict";

(function () {
  const { element } = dpss;
  const NUMBERS = ["median_genes_per_cell", "median_counts_per_cell", "median_pct_counts_mt"];
  const WIDTH = 120;
  const HEIGHT = 10;

  dpss.load("_dpss/places-data.js").then(function (rows) {
    const groups = new Map(rows.map((row) => [row[0], row]));
    for (const list of document.querySelectorAll("dl.numbers[data-group]")) {
      const group = groups.get(list.dataset.group);
      if (!group) continue;
      for (const cell of list.querySelectorAll("dd[data-number]")) {
        const quantiles = group[2][NUMBERS.indexOf(cell.dataset.number)];
        if (quantiles) cell.parentElement.append(placed(Number(cell.dataset.value), quantiles, group));
      }
    }
  }, function () {});

  /** Return a strip and its meaning in words. */
  function placed(value, quantiles, group) {
    return element("dd", { class: "sub place" }, strip(value, quantiles), placeInWords(value, quantiles) + " of " + dpss.number(group[1]) + " matrices of " + group[0]);
  }

  /** Rounded down, as "more than 50 %" is said of no number at 49.6 %. */
  function placeInWords(value, quantiles) {
    const share = Math.min(Math.floor(100 * rank(value, quantiles)), 99);
    if (share > 0) return "more than " + share + " %";
    return value > quantiles[0] ? "among the lowest 1 %" : "the lowest";
  }

  /** The part of the quantiles that lies below a value, from 0 to 1. */
  function rank(value, quantiles) {
    const last = quantiles.length - 1;
    if (value <= quantiles[0]) return 0;
    for (let i = 1; i <= last; i += 1) {
      if (value <= quantiles[i]) {
        const width = quantiles[i] - quantiles[i - 1];
        return (i - 1 + (width > 0 ? (value - quantiles[i - 1]) / width : 0)) / last;
      }
    }
    return 1;
  }

  /** A line from 5 to 95 %, the middle half, and a dot at the value. */
  function strip(value, quantiles) {
    const last = quantiles.length - 1;
    const low = Math.min(quantiles[0], value);
    const high = Math.max(quantiles[last], value);
    const log = low > 0 && high > 20 * low;
    const scale = (x) => (log ? Math.log(x) : x);
    const at = function (x) {
      const span = scale(high) - scale(low);
      return HEIGHT / 2 + (span > 0 ? (scale(x) - scale(low)) / span : 0.5) * (WIDTH - HEIGHT);
    };
    const made = dpss.svg("svg", { class: "place-strip", viewBox: "0 0 " + WIDTH + " " + HEIGHT, width: WIDTH, height: HEIGHT, "aria-hidden": "true", focusable: "false" });
    const quantile = (share) => at(quantiles[Math.round(share * last)]);
    made.append(
      dpss.svg("rect", { class: "whole", x: quantile(0.05), width: Math.max(1, quantile(0.95) - quantile(0.05)), y: 4, height: 2 }),
      dpss.svg("rect", { class: "middle", x: quantile(0.25), width: Math.max(1, quantile(0.75) - quantile(0.25)), y: 2, height: 6 }),
      dpss.svg("circle", { class: "here", cx: at(value), cy: HEIGHT / 2, r: 4 }),
    );
    return made;
  }
})();
