/* The plot of all genes of a matrix: drawn on a canvas, named by pointer, arrow keys and search. */
"use strict";

dpss.genePlot = (function () {
  const { element, number, percent } = dpss;
  const VIEWS = {
    variability: { label: "Variability", x: "means", y: "dispersions_norm", xLabel: "Mean expression, log(1 + counts per 10,000)", yLabel: "Normalised dispersion", rank: "rank_variability" },
    dispersion: { label: "Dispersion before normalisation", x: "means", y: "dispersions", xLabel: "Mean expression, log(1 + counts per 10,000)", yLabel: "Dispersion, log(variance / mean)", rank: "rank_variability" },
    detection: { label: "Detection", x: "mean_counts", y: "found", xLabel: "Mean count per cell (log scale)", yLabel: "Cells in which the gene is found, %", rank: "rank_cell_count", log: true },
  };

  function makePlot(state, status) {
    const canvas = element("canvas", { "aria-hidden": "true" });
    const tip = element("div", { class: "tip", hidden: true });
    const box = element("div", { class: "plot", tabindex: "0", role: "group", "aria-roledescription": "scatter plot" }, canvas, tip);
    const MARGIN = { left: 64, right: 20, top: 20, bottom: 52 };
    let points = [];
    let cells = new Map();
    let order = [];
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

    function colour(name) {
      return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
    }

    function extent(values) {
      let low = Infinity;
      let high = -Infinity;
      for (const value of values) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (!(low < high)) return [low - 1, low + 1];
      const pad = (high - low) * 0.04;
      return [low - pad, high + pad];
    }

    function ticks([low, high], log) {
      const found = [];
      if (log) {
        for (let power = Math.ceil(low); power <= high; power += Math.max(1, Math.ceil((high - low) / 7))) found.push([power, number(Number((10 ** power).toPrecision(2)))]);
        return found;
      }
      const rough = (high - low) / 6;
      const power = 10 ** Math.floor(Math.log10(rough));
      const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
      for (let k = Math.ceil(low / step); k * step <= high; k += 1) found.push([k * step, number(Number((k * step).toPrecision(12)))]);
      return found;
    }

    function draw() {
      const view = VIEWS[state.view];
      const width = box.clientWidth;
      const height = box.clientHeight;
      if (!width) return;
      const ratio = window.devicePixelRatio || 1;
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      const pen = canvas.getContext("2d");
      pen.scale(ratio, ratio);
      const of = (gene, name) => (name === view.x && view.log ? (gene[name] > 0 ? Math.log10(gene[name]) : null) : gene[name]);
      points = [];
      for (const gene of state.genes) {
        const x = of(gene, view.x);
        const y = of(gene, view.y);
        if (x !== null && y !== null) points.push({ gene, x, y });
      }
      box.setAttribute("aria-label", view.yLabel + " against " + view.xLabel + " of " + dpss.plural(points.length, "gene") + ". The arrow keys go through the genes by rank.");
      order = [...points].filter((one) => one.gene[view.rank]).sort((a, b) => a.gene[view.rank] - b.gene[view.rank]);
      const xs = extent(points.map((one) => one.x));
      const ys = extent(points.map((one) => one.y));
      scale = {
        x: (value) => MARGIN.left + ((value - xs[0]) / (xs[1] - xs[0])) * (width - MARGIN.left - MARGIN.right),
        y: (value) => height - MARGIN.bottom - ((value - ys[0]) / (ys[1] - ys[0])) * (height - MARGIN.top - MARGIN.bottom),
      };
      drawAxes(pen, width, height, view, ticks(xs, view.log), ticks(ys, false));
      cells = new Map();
      for (const one of points) {
        one.px = scale.x(one.x);
        one.py = scale.y(one.y);
        const key = Math.floor(one.px / 24) + "," + Math.floor(one.py / 24);
        if (!cells.has(key)) cells.set(key, []);
        cells.get(key).push(one);
      }
      const hits = state.hits;
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
      dots(points.filter((one) => !one.gene.highly_variable), colour("grey"), 2, hits ? 0.25 : 0.55);
      dots(points.filter((one) => one.gene.highly_variable), colour("blue"), 2.5, hits ? 0.3 : 0.8);
      const found = hits ? points.filter((one) => hits.has(one.gene)) : [];
      dots(found, colour("orange"), 4, 0.95);
      pen.font = "600 12px system-ui, sans-serif";
      pen.fillStyle = colour("ink");
      // Of what was found, names that begin so come first; then the best.
      const rank = (one) => [state.words.some((word) => one.gene.text.startsWith(word)) ? 0 : 1, one.gene[view.rank] || Infinity];
      const named = hits ? found.map((one) => [rank(one), one]).sort(([a], [b]) => a[0] - b[0] || a[1] - b[1]).map(([, one]) => one).slice(0, 24) : order.slice(0, 8);
      label(pen, named, width);
      if (state.marked) ring(pen);
    }

    /** Write names beside their dots, leaving out those that would lie on another. */
    function label(pen, named, width) {
      const taken = [];
      pen.textBaseline = "middle";
      for (const one of named) {
        const w = pen.measureText(one.gene.name).width;
        const left = one.px + 8 + w < width - 8;
        const x = left ? one.px + 8 : one.px - 8 - w;
        const boxed = [x - 2, one.py - 8, x + w + 2, one.py + 8];
        if (taken.some((t) => boxed[0] < t[2] && boxed[2] > t[0] && boxed[1] < t[3] && boxed[3] > t[1])) continue;
        taken.push(boxed);
        pen.strokeStyle = colour("background");
        pen.lineWidth = 3;
        pen.lineJoin = "round";
        pen.strokeText(one.gene.name, x, one.py);
        pen.fillText(one.gene.name, x, one.py);
      }
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

    function drawAxes(pen, width, height, view, xTicks, yTicks) {
      pen.font = "12px system-ui, sans-serif";
      pen.fillStyle = colour("muted");
      pen.strokeStyle = colour("grid");
      pen.lineWidth = 1;
      pen.textAlign = "center";
      pen.textBaseline = "top";
      const bottom = height - MARGIN.bottom;
      for (const [value, text] of xTicks) {
        const x = Math.round(scale.x(value)) + 0.5;
        pen.beginPath();
        pen.moveTo(x, MARGIN.top);
        pen.lineTo(x, bottom);
        pen.stroke();
        pen.fillText(text, x, bottom + 8);
      }
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      for (const [value, text] of yTicks) {
        const y = Math.round(scale.y(value)) + 0.5;
        pen.beginPath();
        pen.moveTo(MARGIN.left, y);
        pen.lineTo(width - MARGIN.right, y);
        pen.stroke();
        pen.fillText(text, MARGIN.left - 8, y);
      }
      pen.textAlign = "center";
      pen.textBaseline = "alphabetic";
      pen.fillText(view.xLabel, MARGIN.left + (width - MARGIN.left - MARGIN.right) / 2, height - 12);
      pen.save();
      pen.translate(16, MARGIN.top + (bottom - MARGIN.top) / 2);
      pen.rotate(-Math.PI / 2);
      pen.fillText(view.yLabel, 0, 0);
      pen.restore();
      pen.textAlign = "left";
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
            // Among equally near ones, what the search found and what is variable comes first.
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
      const right = one.px > box.clientWidth / 2;
      tip.style.left = right ? "" : one.px + 14 + "px";
      tip.style.right = right ? box.clientWidth - one.px + 14 + "px" : "";
      tip.style.top = Math.max(4, Math.min(one.py + 8, box.clientHeight - tip.offsetHeight - 8)) + "px";
      if (aloud) status.textContent = gene.name + ": " + lines.join(", ");
    }

    return { element: box, draw, mark };
  }

  return { VIEWS, makePlot };
})();
