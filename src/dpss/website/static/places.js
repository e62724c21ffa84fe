/* The place of each headline number among matrices of the same species and technology. */
"use strict";

(function () {
  const { element } = dpss;
  const NUMBERS = ["median_genes_per_cell", "median_counts_per_cell", "median_pct_counts_mt"];
  const SVG = "http://www.w3.org/2000/svg";
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

  /** A strip, and the same in words. */
  function placed(value, quantiles, group) {
    const share = Math.round(100 * rank(value, quantiles));
    const words = share > 0 ? "more than " + Math.min(share, 99) + " %" : "the least";
    return element("dd", { class: "sub place" }, strip(value, quantiles), words + " of " + dpss.number(group[1]) + " matrices of " + group[0]);
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
    const made = part("svg", { class: "place-strip", viewBox: "0 0 " + WIDTH + " " + HEIGHT, width: WIDTH, height: HEIGHT, "aria-hidden": "true", focusable: "false" });
    const quantile = (share) => at(quantiles[Math.round(share * last)]);
    made.append(
      part("rect", { class: "whole", x: quantile(0.05), width: Math.max(1, quantile(0.95) - quantile(0.05)), y: 4, height: 2 }),
      part("rect", { class: "middle", x: quantile(0.25), width: Math.max(1, quantile(0.75) - quantile(0.25)), y: 2, height: 6 }),
      part("circle", { class: "here", cx: at(value), cy: HEIGHT / 2, r: 4 }),
    );
    return made;
  }

  function part(tag, attributes) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }
})();
