/* Chosen matrices side by side: medians with strips of their spread, sortable; the choice is in the address. */
"use strict";

(async function () {
  const { element, number, percent, plural } = dpss;
  const WIDTH = 120;
  const EDGE = 3;
  const MEASURES = [
    { key: "genes", label: "Genes per cell", show: number, scale: (value) => Math.log10(1 + value), least: () => Math.log10(1.25) },
    { key: "counts", label: "Counts per cell", show: number, scale: (value) => Math.log10(1 + value), least: () => Math.log10(1.25) },
    { key: "mt", label: "Mitochondrial", show: percent, scale: (value) => value, least: (centre) => 0.25 * centre },
  ];
  const status = document.getElementById("status");
  const result = document.getElementById("result");
  const chosen = new Set(dpss.recallAll("p"));
  let rows;
  try {
    rows = (await dpss.load("_dpss/comparison.js")).filter((row) => chosen.has(row[0].split("/")[0])).map(read);
  } catch {
    status.textContent = "The list of matrices can’t be loaded.";
    return;
  }
  if (!rows.length) {
    status.textContent = "No project is chosen. Choose some on the list of all projects.";
    return;
  }
  status.textContent = plural(rows.length, "matrix", "matrices") + " of " + plural(new Set(rows.map((row) => row.project)).size, "project");
  for (const measure of MEASURES) place(measure);
  const order = { key: dpss.recall("by"), down: dpss.recall("down") === "1" };
  const columns = [["name", "Matrix", false], ["cells", "Cells", true], ["n_genes", "Genes", true], ...MEASURES.map((measure) => [measure.key, measure.label, true]), ["checks", "Checks", false]];
  const head = element("tr", {}, ...columns.map(([key, label, isNumber]) => element("th", { scope: "col", class: isNumber ? "n" : null, "data-sort": key }, label)));
  const body = element("tbody", {}, ...rows.map((row) => row.line));
  const table = element("table", { class: "data cards compared" }, element("caption", { class: "visually-hidden" }, "Chosen matrices side by side"), element("thead", {}, head), body);
  result.append(element("div", { class: "scroll", role: "region", "aria-label": "Matrices side by side", tabindex: "0" }, table));
  dpss.sortable(table, order, function () {
    arrange();
    dpss.remember({ by: order.key, down: order.down ? "1" : "" });
  });
  if (order.key) arrange();

  function read([folder, title, address, label, style, words, nChecks, cells, nGenes, spreads], position) {
    const line = element(
      "tr",
      {},
      element("th", { scope: "row" }, element("a", { href: address }, title), label ? element("span", { class: "sub" }, label) : null),
      element("td", { class: "n", "data-label": "Cells" }, number(cells)),
      element("td", { class: "n", "data-label": "Genes" }, number(nGenes)),
    );
    const values = { name: title + " " + label, cells, n_genes: nGenes, checks: nChecks };
    const row = { project: folder.split("/")[0], position, line, values, spreads: {}, cells: {} };
    MEASURES.forEach(function (measure, i) {
      row.spreads[measure.key] = spreads[i];
      values[measure.key] = spreads[i] ? spreads[i][2] : null;
      row.cells[measure.key] = element("td", { class: "n", "data-label": measure.label }, measure.show(values[measure.key]));
      line.append(row.cells[measure.key]);
    });
    line.append(element("td", { "data-label": "Checks" }, element("span", { class: "verdict " + style }, words)));
    return row;
  }

  /** Add the strips of a measure, on one axis, and mark the matrices that stand apart. */
  function place({ key, scale, least }) {
    const known = rows.filter((row) => row.spreads[key]);
    if (!known.length) return;
    const low = scale(Math.min(...known.map((row) => row.spreads[key][0])));
    const high = scale(Math.max(...known.map((row) => row.spreads[key][4])));
    const middles = known.map((row) => scale(row.spreads[key][2]));
    const centre = median(middles);
    // As `find_outliers` of dpss/stats/outliers.py has it.
    const limit = (3 + 6 / known.length) * 1.4826 * median(middles.map((value) => Math.abs(value - centre)));
    known.forEach(function (row, i) {
      const at = row.spreads[key].map((value) => EDGE + (high > low ? (scale(value) - low) / (high - low) : 0.5) * (WIDTH - 2 * EDGE));
      const odd = known.length > 3 && limit > 0 && Math.abs(middles[i] - centre) > Math.max(limit, least(centre));
      row.cells[key].append(dpss.strip(at, odd));
      if (odd) row.cells[key].append(element("span", { class: "apart" }, "apart"));
    });
  }

  function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const half = sorted.length >> 1;
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  function arrange() {
    dpss.sortBy(rows, (row) => row.values[order.key], order.down, (a, b) => a.position - b.position);
    body.append(...rows.map((row) => row.line));
  }
})();
