/* The plot of all genes of a matrix, on a canvas; pointer, arrow keys and search show the names of genes. */
"use strict";

dpss.genePlot = (function () {
  const { element, number, percent } = dpss;
  const { chart } = dpss;
  const VIEWS = {
    variability: { label: "Variability", x: "means", y: "dispersions_norm", rank: "rank_variability" },
    dispersion: { label: "Dispersion before normalisation", x: "means", y: "dispersions", rank: "rank_variability" },
    detection: { label: "Detection", x: "mean_counts", y: "found", rank: "rank_cell_count" },
  };
  const FEW_CELLS = 3;
  /* Names at most, in a wide box, in a narrow one, and of what the search found. */
  const N_WIDE = 20;
  const N_NARROW = 8;
  const N_FOUND = 24;
  /* Most hits of a search whose names are written: with more, no name would be clear of all dots. */
  const MANY_HITS = 400;
  const NAME_HEIGHT = 16;
  /* Units of label placement in a pixel: the largest dot has 4 pixels. */
  const UNIT = 0.6;

  /**
   * Make the plot.
   * @param {object} state genes, view, search and what is marked
   * @param {object} told axes, guides and legend of each view, as the figure has them
   * @param {HTMLElement} status where the marked gene is said aloud
   */
  function makePlot(state, told, status) {
    const canvas = element("canvas", { "aria-hidden": "true" });
    const tip = element("div", { class: "tip", hidden: true });
    const box = element("div", { class: "plot", tabindex: "0", role: "group", "aria-roledescription": "scatter plot" }, canvas, tip);
    const legend = element("div");
    let shown = "";
    let points = [];
    let cells = new Map();
    let order = [];
    let names = { key: "", all: [] };
    let scale = null;

    new ResizeObserver(() => draw()).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
    box.addEventListener("pointermove", point);
    box.addEventListener("pointerdown", point);
    box.addEventListener("pointerleave", () => mark(null, false));
    box.addEventListener("keydown", function (event) {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
      if (event.key === "Escape") mark(null, false);
      if (step === undefined || !order.length) return;
      event.preventDefault();
      const at = state.marked ? order.findIndex((one) => one.gene === state.marked) : -1;
      mark(order[Math.max(0, Math.min(order.length - 1, at + step))].gene, true);
    });

    const { colour } = chart;

    function draw() {
      const view = VIEWS[state.view];
      const what = told[state.view];
      const width = box.clientWidth;
      if (!width) return;
      const pen = chart.penOf(canvas, box);
      points = [];
      for (const gene of state.genes) {
        const x = gene[view.x];
        const y = gene[view.y];
        if (x === null || y === null || (what.x.scale === "log" && x <= 0)) continue;
        points.push({ gene, x, y });
      }
      box.setAttribute("aria-label", what.y.title + " against " + what.x.title + " of " + dpss.plural(points.length, "gene") + ". The arrow keys go through the genes by rank.");
      order = [...points].filter((one) => one.gene[view.rank]).sort((a, b) => a.gene[view.rank] - b.gene[view.rank]);
      scale = chart.frame(what, width, box.clientHeight);
      chart.drawAxes(pen, what, scale, box);
      if (shown !== state.view) {
        shown = state.view;
        legend.replaceChildren(chart.legend(what, "muted", [["dot", "orange", "found by the search"]]));
      }
      cells = new Map();
      for (const one of points) {
        // A gene beyond the end of an axis is drawn at its end.
        one.px = Math.max(scale.left, Math.min(scale.right, scale.x(one.x)));
        one.py = Math.max(scale.top, Math.min(scale.bottom, scale.y(one.y)));
        const key = Math.floor(one.px / 24) + "," + Math.floor(one.py / 24);
        if (!cells.has(key)) cells.set(key, []);
        cells.get(key).push(one);
      }
      const hits = state.hits;
      const best = order.slice(0, 20);
      const dots = (chosen, fill, radius, alpha) => {
        pen.fillStyle = fill;
        pen.globalAlpha = alpha;
        for (const one of chosen) {
          pen.beginPath();
          pen.arc(one.px, one.py, radius, 0, 2 * Math.PI);
          pen.fill();
        }
        pen.globalAlpha = 1;
      };
      const few = (one) => !one.gene.highly_variable && one.gene.n_cells_by_counts < FEW_CELLS;
      dots(points.filter(few), colour("faint"), 2, hits ? 0.4 : 0.9);
      dots(points.filter((one) => !one.gene.highly_variable && !few(one)), colour("grey"), 2, hits ? 0.25 : 0.55);
      dots(points.filter((one) => one.gene.highly_variable), colour("blue"), 2.5, hits ? 0.3 : 0.8);
      chart.drawGuides(pen, what, scale, "muted");
      const found = hits ? points.filter((one) => hits.has(one.gene)) : [];
      pen.font = "600 12px system-ui, sans-serif";
      // Of the hits, genes whose names begin with the search come first, then the best.
      const rank = (one) => [state.words.some((word) => one.gene.text.startsWith(word)) ? 0 : 1, one.gene[view.rank] || Infinity];
      const ranked = hits ? found.map((one) => [rank(one), one]).sort(([a], [b]) => a[0] - b[0] || a[1] - b[1]).map(([, one]) => one) : best;
      const n = hits ? (found.length > MANY_HITS ? 0 : N_FOUND) : width < 560 ? N_NARROW : N_WIDE;
      const key = [state.view, width, box.clientHeight, points.length, hits && state.words.join(" ")].join("|");
      if (names.key !== key) names = { key, all: placed(pen, ranked.slice(0, n), new Set(hits ? found : best)) };
      lead(pen, names.all);
      if (hits) dots(found, colour("orange"), 4, 0.95);
      else dots(best, colour("orange"), 3, 1);
      label(pen, names.all);
      if (state.marked) ring(pen);
    }

    /** Find places for names, in units of the placement from the lower left corner of the axes. */
    function placed(pen, named, marked) {
      const at = (one) => [(one.px - scale.left) * UNIT, (scale.bottom - one.py) * UNIT];
      const sizes = named.map((one) => [pen.measureText(one.gene.name).width * UNIT, NAME_HEIGHT * UNIT]);
      const area = [(scale.right - scale.left) * UNIT, (scale.bottom - scale.top) * UNIT];
      const others = points.filter((one) => !marked.has(one)).map(at);
      return dpss.placeLabels(named.map(at), sizes, area, [...marked].map(at), others).map(function (place, i) {
        if (!place) return null;
        const [x, y] = dpss.placeLabels.nearest(at(named[i]), place, sizes[i]);
        return { gene: named[i].gene, from: [named[i].px, named[i].py], to: place.far && [scale.left + x / UNIT, scale.bottom - y / UNIT], left: scale.left + place.x / UNIT, middle: scale.bottom - place.y / UNIT - NAME_HEIGHT / 2, width: sizes[i][0] / UNIT };
      }).filter(Boolean);
    }

    /** Draw lines from distant names to their dots. */
    function lead(pen, all) {
      pen.strokeStyle = colour("muted");
      pen.lineWidth = 1;
      for (const { from, to } of all) {
        if (!to) continue;
        pen.beginPath();
        pen.moveTo(...from);
        pen.lineTo(...to);
        pen.stroke();
      }
    }

    /** Write names where they were placed; the places are kept at the box, for tests. */
    function label(pen, all) {
      pen.textAlign = "left";
      pen.textBaseline = "middle";
      pen.fillStyle = colour("ink");
      pen.strokeStyle = colour("background");
      pen.lineWidth = 3;
      pen.lineJoin = "round";
      for (const { gene, left, middle } of all) {
        pen.strokeText(gene.name, left, middle);
        pen.fillText(gene.name, left, middle);
      }
      box.dataset.named = JSON.stringify(all.map(({ gene, left, middle, width }) => [gene.name, left, middle - NAME_HEIGHT / 2, width, NAME_HEIGHT]));
    }

    function ring(pen) {
      const one = points.find((point) => point.gene === state.marked);
      if (!one) return;
      pen.strokeStyle = colour("orange");
      pen.lineWidth = 2.5;
      pen.beginPath();
      pen.arc(one.px, one.py, 7, 0, 2 * Math.PI);
      pen.stroke();
    }

    /** Name the gene nearest to the pointer. */
    function point(event) {
      const frame = box.getBoundingClientRect();
      const x = event.clientX - frame.left - box.clientLeft;
      const y = event.clientY - frame.top - box.clientTop;
      let best = null;
      let least = 18 ** 2;
      for (let i = -1; i <= 1; i += 1) {
        for (let j = -1; j <= 1; j += 1) {
          for (const one of cells.get(Math.floor(x / 24) + i + "," + (Math.floor(y / 24) + j)) || []) {
            // Of genes at about the same distance, hits of the search and variable ones come first.
            const weight = state.hits && state.hits.has(one.gene) ? 0.3 : one.gene.highly_variable ? 0.8 : 1;
            const distance = ((one.px - x) ** 2 + (one.py - y) ** 2) * weight;
            if (distance < least) [best, least] = [one.gene, distance];
          }
        }
      }
      mark(best, false);
    }

    function mark(gene, aloud) {
      if (gene === state.marked) return;
      state.marked = gene;
      draw();
      const one = gene && points.find((candidate) => candidate.gene === gene);
      tip.hidden = !one;
      if (!one) return;
      const lines = ["found in " + percent(gene.found) + " of cells", "mean count " + number(gene.mean_counts), gene.dispersions_norm === null ? null : "normalised dispersion " + number(gene.dispersions_norm), gene.rank_variability ? "rank " + number(gene.rank_variability) + " by variability" : null].filter(Boolean);
      tip.replaceChildren(element("strong", {}, gene.name), ...[...(gene.name === gene.id ? [] : [gene.id]), ...lines].flatMap((text, i) => (i ? [document.createElement("br"), text] : [text])));
      chart.showTip(tip, box, one.px, one.py);
      if (aloud) status.textContent = gene.name + ": " + lines.join(", ");
    }

    return { element: element("div", {}, legend, box), draw, mark };
  }

  return { VIEWS, makePlot };
})();
