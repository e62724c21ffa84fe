/* The scatter plots of cells, on demand: hover or arrow keys tell how many cells lie where. */
"use strict";

(function () {
  const { element, number } = dpss;
  const PLOTS = {
    scatter_genes_vs_counts: { grid: "genes_vs_counts", x: "Counts per cell", y: "Genes per cell", log: true, unit: "genes" },
    scatter_percentMitoGenes_vs_count: { grid: "mt_vs_counts", x: "Counts per cell", y: "Mitochondrial counts, %", log: false, unit: "% mitochondrial" },
  };
  const MOST_BINS = 64;
  const MARGIN = { left: 72, right: 20, top: 20, bottom: 52 };

  for (const article of document.querySelectorAll("article[data-grid]")) {
    for (const [slug, plot] of Object.entries(PLOTS)) {
      const figure = document.getElementById(article.id + "-" + slug);
      if (figure) prepare(article, figure, plot);
    }
  }

  function prepare(article, figure, plot) {
    const button = element("button", { type: "button", class: "quiet", "aria-expanded": "false" }, "Interactive plot");
    const place = element("span", { class: "interactive" }, button);
    figure.querySelector("figcaption").append(place);
    let shown = null;
    button.addEventListener("click", async function () {
      if (shown) {
        shown.hidden = !shown.hidden;
        button.setAttribute("aria-expanded", String(!shown.hidden));
        return;
      }
      try {
        const grids = await dpss.load(article.dataset.grid);
        if (shown || !grids[plot.grid]) return;
        shown = draw(grids[plot.grid], plot);
        figure.append(shown);
        button.setAttribute("aria-expanded", "true");
      } catch {
        place.append(element("span", { role: "alert" }, " The cells could not be loaded."));
      }
    });
  }

  /** Join bins until there are few enough for the eye; the published ones are finer. */
  function coarsen(grid) {
    const step = (edges) => 2 ** Math.max(0, Math.ceil(Math.log2((edges.length - 1) / MOST_BINS)));
    const [sx, sy] = [step(grid.x_edges), step(grid.y_edges)];
    const joined = new Map();
    grid.n.forEach(function (n, i) {
      const [x, y] = [Math.floor(grid.x[i] / sx), Math.floor(grid.y[i] / sy)];
      const bin = joined.get(x + "," + y) || { x, y, n: 0 };
      bin.n += n;
      joined.set(x + "," + y, bin);
    });
    const edges = (all, by) => [...all.slice(0, -1).filter((_, i) => i % by === 0), all[all.length - 1]];
    const bins = [...joined.values()];
    return { x: bins.map((bin) => bin.x), y: bins.map((bin) => bin.y), n: bins.map((bin) => bin.n), x_edges: edges(grid.x_edges, sx), y_edges: edges(grid.y_edges, sy) };
  }

  function draw(fine, plot) {
    const grid = coarsen(fine);
    const canvas = element("canvas", { "aria-hidden": "true" });
    const tip = element("div", { class: "tip", hidden: true });
    const said = element("span", { class: "visually-hidden", role: "status" });
    const total = grid.n.reduce((sum, n) => sum + n, 0);
    const box = element("div", { class: "plot", tabindex: "0", role: "group", "aria-roledescription": "density plot", "aria-label": plot.y + " against " + plot.x + " of " + dpss.plural(total, "cell") + ". The arrow keys go through the places with the most cells." }, canvas, tip, said);
    // From the fullest bin to the emptiest: the order of the arrow keys.
    const order = grid.n.map((_, i) => i).sort((a, b) => grid.n[b] - grid.n[a] || a - b);
    const most = Math.log1p(grid.n[order[0]]);
    // The first logarithmic bin begins at 0: it is drawn as wide as its neighbour.
    const edgesX = positive(grid.x_edges, true);
    const edgesY = positive(grid.y_edges, plot.log);
    const at = new Map(order.map((i) => [grid.x[i] + "," + grid.y[i], i]));
    let marked = -1;
    let scale = null;

    new ResizeObserver(paint).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
    box.addEventListener("pointermove", point);
    box.addEventListener("pointerdown", point);
    box.addEventListener("pointerleave", () => mark(-1, false));
    box.addEventListener("keydown", function (event) {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") mark(-1, false);
      if (!step) return;
      event.preventDefault();
      const now = marked < 0 ? -1 : order.indexOf(marked);
      mark(order[Math.max(0, Math.min(order.length - 1, now + step))], true);
    });
    return element("div", {}, box);

    function positive(edges, log) {
      if (!log) return edges;
      const first = edges[0] > 0 ? edges[0] : (edges[1] || 1) / 2 ** (1 / 32);
      return [first, ...edges.slice(1)].map(Math.log10);
    }

    function paint() {
      const width = box.clientWidth;
      const height = box.clientHeight;
      if (!width) return;
      const style = getComputedStyle(document.documentElement);
      const colour = (name) => style.getPropertyValue("--" + name).trim();
      const ratio = window.devicePixelRatio || 1;
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      const pen = canvas.getContext("2d");
      pen.scale(ratio, ratio);
      const right = width - MARGIN.right;
      const bottom = height - MARGIN.bottom;
      const map = (edges, from, to) => {
        const low = edges[0];
        const span = edges[edges.length - 1] - low || 1;
        return (value) => from + ((value - low) / span) * (to - from);
      };
      scale = { x: map(edgesX, MARGIN.left + 8, right - 8), y: map(edgesY, bottom - 8, MARGIN.top + 8) };
      const [xTicks, yTicks] = [ticks(edgesX, true), ticks(edgesY, plot.log)];
      pen.fillStyle = colour("grid");
      for (const [value] of xTicks) pen.fillRect(Math.round(scale.x(value)), MARGIN.top, 1, bottom - MARGIN.top);
      for (const [value] of yTicks) pen.fillRect(MARGIN.left, Math.round(scale.y(value)), right - MARGIN.left, 1);
      pen.fillStyle = colour("blue");
      for (const i of order) {
        const x = scale.x(edgesX[grid.x[i]]);
        const y = scale.y(edgesY[grid.y[i] + 1]);
        pen.globalAlpha = 0.22 + 0.78 * (Math.log1p(grid.n[i]) / most);
        pen.fillRect(x, y, Math.max(1.5, scale.x(edgesX[grid.x[i] + 1]) - x), Math.max(1.5, scale.y(edgesY[grid.y[i]]) - y));
      }
      pen.globalAlpha = 1;
      pen.strokeStyle = colour("line");
      pen.strokeRect(MARGIN.left - 0.5, MARGIN.top - 0.5, right - MARGIN.left + 1, bottom - MARGIN.top + 1);
      pen.fillStyle = colour("muted");
      pen.font = "12px system-ui, sans-serif";
      pen.textAlign = "center";
      for (const [value, text] of xTicks) pen.fillText(text, scale.x(value), bottom + 18);
      pen.fillText(plot.x, (MARGIN.left + right) / 2, height - 12);
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      for (const [value, text] of yTicks) pen.fillText(text, MARGIN.left - 8, scale.y(value));
      pen.save();
      pen.translate(14, (MARGIN.top + bottom) / 2);
      pen.rotate(-Math.PI / 2);
      pen.textAlign = "center";
      pen.fillText(plot.y, 0, 0);
      pen.restore();
      if (marked >= 0) {
        pen.strokeStyle = colour("orange");
        pen.lineWidth = 2;
        const [x, y] = middle(marked);
        pen.strokeRect(x - 5, y - 5, 10, 10);
      }
    }

    function ticks(edges, log) {
      const low = edges[0];
      const high = edges[edges.length - 1];
      const found = [];
      if (log) {
        const mantissas = high - low > 3 ? [1] : high - low > 1.5 ? [1, 3] : [1, 2, 5];
        for (let power = Math.floor(low); power <= high; power += 1) {
          for (const mantissa of mantissas) {
            const value = power + Math.log10(mantissa);
            if (value >= low && value <= high) found.push([value, number(Number((10 ** value).toPrecision(2)))]);
          }
        }
        return found;
      }
      const rough = (high - low) / 5 || 1;
      const power = 10 ** Math.floor(Math.log10(rough));
      const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
      for (let k = Math.ceil(low / step); k * step <= high; k += 1) found.push([k * step, number(Number((k * step).toPrecision(6)))]);
      return found;
    }

    function middle(i) {
      return [(scale.x(edgesX[grid.x[i]]) + scale.x(edgesX[grid.x[i] + 1])) / 2, (scale.y(edgesY[grid.y[i]]) + scale.y(edgesY[grid.y[i] + 1])) / 2];
    }

    /** The bin under the pointer, or the nearest one within a few bins. */
    function point(event) {
      const frame = box.getBoundingClientRect();
      const x = event.clientX - frame.left - box.clientLeft;
      const y = event.clientY - frame.top - box.clientTop;
      const find = (edges, position, along) => edges.findIndex((edge, k) => k + 1 < edges.length && (along(edge) - position) * (along(edges[k + 1]) - position) <= 0);
      const column = find(edgesX, x, scale.x);
      const row = find(edgesY, y, scale.y);
      for (const reach of [0, 1, 2, 3]) {
        for (let i = -reach; i <= reach; i += 1) {
          for (let j = -reach; j <= reach; j += 1) {
            const found = at.get(column + i + "," + (row + j));
            if (column >= 0 && row >= 0 && found !== undefined) return mark(found, false);
          }
        }
      }
      return mark(-1, false);
    }

    function range(edges, k) {
      const low = edges[k];
      const high = edges[k + 1];
      // Of whole numbers the upper edge is not in the bin.
      if (edges === grid.y_edges && !plot.log) return number(low) + "–" + number(high);
      const first = Math.ceil(low);
      const last = Math.max(first, Math.ceil(high) - 1);
      return first === last ? number(first) : number(first) + "–" + number(last);
    }

    function mark(i, aloud) {
      if (i === marked) return;
      marked = i;
      paint();
      tip.hidden = i < 0;
      if (i < 0) return;
      const cells = dpss.plural(grid.n[i], "cell");
      const where = range(grid.x_edges, grid.x[i]) + " counts, " + range(grid.y_edges, grid.y[i]) + " " + plot.unit;
      tip.replaceChildren(element("strong", {}, cells), where);
      const [x, y] = middle(i);
      const left = x > box.clientWidth / 2;
      tip.style.left = left ? "" : x + 12 + "px";
      tip.style.right = left ? box.clientWidth - x + 12 + "px" : "";
      tip.style.top = Math.max(4, Math.min(y + 8, box.clientHeight - tip.offsetHeight - 8)) + "px";
      if (aloud) said.textContent = cells + ": " + where;
    }
  }
})();
