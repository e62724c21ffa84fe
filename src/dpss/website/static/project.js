/* All genes of a matrix, on demand: a plot and a table of the same data, and one search for both. */
"use strict";

(function () {
  const { element, number, percent, plain } = dpss;
  const { VIEWS, makePlot } = dpss.genePlot;
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

  const FLOATS = ["mean_counts", "mean_pct_of_cell_counts", "means", "dispersions", "dispersions_norm"];
  const RANKS = ["rank_highest_expr", "rank_cell_count", "rank_variability"];

  // On a page with several matrices, the names of buttons include the matrix.
  const several = document.querySelectorAll("article.matrix").length > 1;
  for (const section of document.querySelectorAll(".all-genes")) prepare(section);
  const compared = document.getElementById("side-by-side");
  if (compared) compare(compared, true);
  for (const table of document.querySelectorAll(".strata")) compare(table, false);

  /** Sort matrices or strata by any column; of matrices the choice stays in the address. */
  function compare(table, remembered) {
    const body = table.tBodies[0];
    const keys = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.sort);
    const rows = [...body.rows].map((row, position) => ({ row, position, values: JSON.parse(row.dataset.values) }));
    const order = remembered ? { key: dpss.recall("by"), down: dpss.recall("down") === "1" } : { key: "", down: false };
    function arrange() {
      const column = keys.indexOf(order.key);
      dpss.sortBy(rows, (each) => each.values[column], order.down, (a, b) => a.position - b.position);
      body.append(...rows.map((each) => each.row));
    }
    dpss.sortable(table, order, function () {
      arrange();
      if (remembered) dpss.remember({ by: order.key, down: order.down ? "1" : "" });
    });
    if (order.key) arrange();
  }

  function prepare(section) {
    const nGenes = Number(section.dataset.genes);
    if (!nGenes) return;
    const matrix = section.closest("article").id;
    const of = several ? element("span", { class: "visually-hidden" }, " of " + section.closest("article").querySelector("h2").textContent) : null;
    const button = element("button", { type: "button" }, "Explore " + (nGenes === 1 ? "" : "all ") + dpss.plural(nGenes, "gene"), of);
    button.addEventListener("click", () => open(section, button, matrix, true));
    section.append(button);
    const figure = document.getElementById(matrix + "-highly_variable_genes");
    if (figure) {
      const there = element("button", { type: "button", class: "quiet" }, "Interactive plot of all genes", of && of.cloneNode(true));
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
    const state = { matrix, genes: [], query: byHand ? "" : dpss.recall("q"), view: (!byHand && dpss.recall("view")) || "variability", order: { key: (!byHand && dpss.recall("sort")) || "rank_variability", down: !byHand && dpss.recall("dir") === "desc" }, page: 0, marked: null, words: [] };
    if (!VIEWS[state.view]) state.view = "variability";
    let explorer = null;
    let failed = 0;
    for (let part = 0; part < nParts; part += 1) {
      try {
        const columns = await dpss.load(section.dataset.path + part + ".js");
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
    const floats = Object.fromEntries(FLOATS.map((name) => [name, dpss.floats(dpss.words(columns[name]))]));
    columns.gene_id.forEach(function (id, i) {
      const name = columns.gene_name[i] || id;
      const gene = { id, name, text: plain(name + " " + id), index: into.length, mitochondrial: Boolean(columns.flags[i] & 1), highly_variable: Boolean(columns.flags[i] & 2) };
      for (const column of FLOATS) gene[column] = floats[column][i];
      for (const column of RANKS) gene[column] = columns[column][i] || null;
      gene.n_cells_by_counts = columns.n_cells_by_counts[i];
      gene.found = nCells ? (100 * gene.n_cells_by_counts) / nCells : null;
      into.push(gene);
    });
  }

  function explore(section, state, byHand) {
    const id = (name) => state.matrix + "-" + name;
    const search = element("input", { id: id("q"), type: "search", autocomplete: "off", spellcheck: "false" });
    search.value = state.query;
    const told = section.dataset.views ? JSON.parse(section.dataset.views) : {};
    const views = Object.entries(VIEWS).filter(([key]) => told[key]);
    if (views.length && !told[state.view]) state.view = views[0][0];
    const view = element("select", { id: id("view") }, ...views.map(([key, one]) => element("option", { value: key }, one.label)));
    view.value = state.view;
    const status = element("p", { class: "status", role: "status" });
    // Results of an earlier version do not say what their plot is to show: there is the table only.
    const plot = views.length ? makePlot(state, told, status) : { element: null, draw() {}, mark() {} };
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
      element("div", { class: "tools" }, element("div", {}, element("label", { for: search.id }, "Find genes by symbol or id"), search), views.length ? element("div", {}, element("label", { for: view.id }, "Plot"), view) : ""),
      plot.element || "",
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
      state.words = words;
      state.hits = words.length ? new Set(state.genes.filter((gene) => words.some((word) => gene.text.includes(word)))) : null;
      state.page = 0;
      arrange();
      plot.draw();
      status.textContent = state.hits ? dpss.plural(state.hits.size, "gene") + " found" : "";
    }

    function arrange() {
      const { key, down } = state.order;
      rows = dpss.sortBy([...(state.hits || state.genes)], (gene) => gene[key], down, (a, b) => a.index - b.index);
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
})();
