/* All genes of a matrix, on demand: a plot and a table of the same data, and one search for both. */
"use strict";

(function () {
  const { element, number, percent, plain } = dpss;
  const PER_PAGE = 50;
  const COLUMNS = [
    ["name", "Gene", false],
    ["found", "Found in", true],
    ["mean_counts", "Mean count", true],
    ["mean_pct_of_cell_counts", "Mean share", true],
    ["means", "Mean (log)", true],
    ["dispersions_norm", "Normalised dispersion", true],
    ["rank_cell_count", "Rank by cells", true],
    ["rank_highest_expr", "Rank by share", true],
    ["rank_variability", "Rank by variability", true],
  ];
  const VIEWS = {
    variability: { label: "Variability", x: "means", y: "dispersions_norm", xLabel: "Mean expression, log(1 + counts per 10,000)", yLabel: "Normalised dispersion", rank: "rank_variability" },
    dispersion: { label: "Dispersion before normalisation", x: "means", y: "dispersions", xLabel: "Mean expression, log(1 + counts per 10,000)", yLabel: "Dispersion, log(variance / mean)", rank: "rank_variability" },
    detection: { label: "Detection", x: "mean_counts", y: "found", xLabel: "Mean count per cell (log scale)", yLabel: "Cells in which the gene is found, %", rank: "rank_cell_count", log: true },
  };

  for (const section of document.querySelectorAll(".all-genes")) prepare(section);

  function prepare(section) {
    const nGenes = Number(section.dataset.genes);
    if (!nGenes) return;
    const matrix = section.closest("article").id;
    const button = element("button", { type: "button" }, "Explore all " + number(nGenes) + " genes");
    button.addEventListener("click", () => open(section, button, matrix, true));
    section.append(button);
    const figure = document.getElementById(matrix + "-highly_variable_genes");
    if (figure) {
      const there = element("button", { type: "button", class: "quiet" }, "Interactive plot");
      there.addEventListener("click", function () {
        if (button.isConnected) button.click();
        section.scrollIntoView();
      });
      figure.querySelector("figcaption").append(element("span", { class: "interactive" }, there));
    }
    if (dpss.recall("m") === matrix) open(section, button, matrix, false);
  }

  async function open(section, button, matrix, byHand) {
    const nParts = Number(section.dataset.parts);
    const nCells = Number(section.dataset.cells);
    const bar = element("progress", { max: nParts, value: 0, "aria-label": "Loading genes" });
    button.replaceWith(bar);
    const state = { matrix, genes: [], query: byHand ? "" : dpss.recall("q"), view: (!byHand && dpss.recall("view")) || "variability", order: { key: (!byHand && dpss.recall("sort")) || "rank_variability", down: !byHand && dpss.recall("dir") === "desc" }, page: 0, marked: null };
    if (!VIEWS[state.view]) state.view = "variability";
    let explorer = null;
    let failed = 0;
    for (let part = 0; part < nParts; part += 1) {
      try {
        const columns = await dpss.load("_dpss/" + section.dataset.name + "/" + part + ".js", section.dataset.name + "/" + part);
        unpack(columns, nCells, state.genes);
      } catch {
        failed += 1;
        continue;
      }
      bar.value = part + 1;
      if (explorer) explorer.more();
      else explorer = explore(section, state, byHand);
    }
    bar.remove();
    if (failed) section.append(element("p", { role: "alert" }, "Some of the genes could not be loaded. genes.csv has them all."));
  }

  function unpack(columns, nCells, into) {
    columns.gene_id.forEach(function (id, i) {
      const name = columns.gene_name[i] || id;
      const gene = { id, name, text: plain(name + " " + id), index: into.length, mitochondrial: Boolean(columns.flags[i] & 1), highly_variable: Boolean(columns.flags[i] & 2) };
      for (const column of ["n_cells_by_counts", "mean_counts", "mean_pct_of_cell_counts", "means", "dispersions", "dispersions_norm", "rank_highest_expr", "rank_cell_count", "rank_variability"]) gene[column] = columns[column][i];
      gene.found = nCells ? (100 * gene.n_cells_by_counts) / nCells : null;
      into.push(gene);
    });
  }

  function explore(section, state, byHand) {
    const id = (name) => state.matrix + "-" + name;
    const search = element("input", { id: id("q"), type: "search", autocomplete: "off", spellcheck: "false" });
    search.value = state.query;
    const view = element("select", { id: id("view") }, ...Object.entries(VIEWS).map(([key, one]) => element("option", { value: key }, one.label)));
    view.value = state.view;
    const status = element("p", { class: "status", role: "status" });
    const plot = makePlot(state, status);
    const table = element("table", { class: "data" }, element("thead", {}, element("tr", {}, ...COLUMNS.map(([key, label, isNumber]) => element("th", { scope: "col", class: isNumber ? "n" : null, "data-sort": key, "data-up": key.startsWith("rank") }, label)))), element("tbody"));
    const back = element("button", { type: "button", class: "quiet" }, "Previous");
    const on = element("button", { type: "button", class: "quiet" }, "Next");
    const where = element("span");
    let rows = [];

    back.addEventListener("click", () => turn(-1));
    on.addEventListener("click", () => turn(1));
    view.addEventListener("change", function () {
      state.view = view.value;
      remember();
      plot.draw();
    });
    search.addEventListener("input", dpss.settled(filter, 120));
    dpss.sortable(table, state.order, function () {
      state.page = 0;
      arrange();
    });
    section.append(
      element("div", { class: "tools" }, element("div", {}, element("label", { for: search.id }, "Find genes by symbol or id"), search), element("div", {}, element("label", { for: view.id }, "Plot"), view)),
      plot.element,
      element("p", { class: "legend" }, element("span", { class: "hv" }, "highly variable"), element("span", {}, "other genes"), element("span", { class: "hit" }, "found by the search")),
      status,
      element("div", { class: "scroll", role: "region", "aria-label": "Table of all genes of " + document.getElementById(state.matrix + "-h").textContent, tabindex: "0" }, table),
      element("div", { class: "pages" }, back, on, where),
    );
    filter();
    if (byHand) search.focus({ preventScroll: true });

    function remember() {
      dpss.remember({ m: state.matrix, q: search.value, view: state.view === "variability" ? "" : state.view, sort: state.order.key === "rank_variability" && !state.order.down ? "" : state.order.key, dir: state.order.down ? "desc" : "" });
    }

    function filter() {
      const words = plain(search.value).split(/[\s,;]+/).filter(Boolean);
      state.hits = words.length ? new Set(state.genes.filter((gene) => words.some((word) => gene.text.includes(word)))) : null;
      state.page = 0;
      arrange();
      plot.draw();
      status.textContent = state.hits ? dpss.plural(state.hits.size, "gene") + " found" : "";
    }

    function arrange() {
      const { key, down } = state.order;
      const sign = down ? -1 : 1;
      rows = state.hits ? [...state.hits] : [...state.genes];
      const collator = new Intl.Collator("en", { numeric: true });
      rows.sort(function (a, b) {
        const x = a[key];
        const y = b[key];
        if (x === null || y === null) return (x === null) - (y === null) || a.index - b.index;
        return sign * (typeof x === "number" ? x - y : collator.compare(x, y)) || a.index - b.index;
      });
      show();
      remember();
    }

    function turn(by) {
      state.page += by;
      show();
    }

    function show() {
      const nPages = Math.max(1, Math.ceil(rows.length / PER_PAGE));
      const first = state.page * PER_PAGE;
      table.tBodies[0].replaceChildren(...rows.slice(first, first + PER_PAGE).map(line));
      back.disabled = state.page === 0;
      on.disabled = state.page >= nPages - 1;
      where.textContent = rows.length ? number(first + 1) + "–" + number(Math.min(first + PER_PAGE, rows.length)) + " of " + number(rows.length) : "none";
    }

    function line(gene) {
      const address = new URL("genes.html", dpss.root);
      address.searchParams.set("g", gene.id);
      const row = element(
        "tr",
        {},
        element("th", { scope: "row" }, element("a", { href: address, title: "In all matrices" }, gene.name), gene.name === gene.id ? null : element("span", { class: "sub" }, gene.id)),
        element("td", { class: "n" }, percent(gene.found), element("span", { class: "sub" }, dpss.plural(gene.n_cells_by_counts, "cell"))),
        element("td", { class: "n" }, number(gene.mean_counts)),
        element("td", { class: "n" }, percent(gene.mean_pct_of_cell_counts)),
        element("td", { class: "n" }, number(gene.means)),
        element("td", { class: "n" }, number(gene.dispersions_norm)),
        element("td", { class: "n" }, number(gene.rank_cell_count)),
        element("td", { class: "n" }, number(gene.rank_highest_expr)),
        element("td", { class: "n" }, number(gene.rank_variability)),
      );
      row.addEventListener("pointerenter", () => plot.mark(gene, false));
      return row;
    }

    return { more: filter };
  }

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
      const named = hits ? found.slice(0, 12) : order.slice(0, 8);
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
      tip.replaceChildren(element("strong", {}, gene.name), ...(gene.name === gene.id ? [] : [gene.id]), ...lines.flatMap((text) => [document.createElement("br"), text]));
      const right = one.px > box.clientWidth / 2;
      tip.style.left = right ? "" : one.px + 14 + "px";
      tip.style.right = right ? box.clientWidth - one.px + 14 + "px" : "";
      tip.style.top = Math.max(4, Math.min(one.py + 8, box.clientHeight - tip.offsetHeight - 8)) + "px";
      if (aloud) status.textContent = gene.name + ": " + lines.join(", ");
    }

    return { element: box, draw, mark };
  }
})();
