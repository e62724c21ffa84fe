/* The look-up of a gene: one small file of each block has the matrices in which it is found. */
"use strict";

(function () {
  const form = document.getElementById("lookup");
  const input = document.getElementById("g");
  const status = document.getElementById("status");
  const result = document.getElementById("result");
  const { element } = dpss;
  const nBlocks = Number(form.dataset.blocks);
  const nBuckets = Number(form.dataset.buckets);
  const nNameBuckets = Number(form.dataset.nameBuckets);
  const PER_PAGE = 50;
  const MAX_NAMES = 8;
  const MAX_ORGANS = 8;
  /* Files, hits and rows between two pauses for the browser: less than 50 ms on a phone. */
  const LOADS_PER_SLICE = 8;
  const HITS_PER_SLICE = 1000;
  const ROWS_PER_SLICE = 10;
  const FACETS = [
    ["species", "Species"],
    ["organ", "Organ"],
    ["technology", "Technology"],
    ["values", "Values"],
  ];
  const RECORD = 20;
  const ENSEMBL = /^ENS[A-Z]*\d{6,}$/;
  let latest = 0;
  let severalGenes = false;

  form.hidden = false;
  input.value = dpss.recall("g");
  const orderKey = dpss.recall("sort") || "found";
  const order = { key: orderKey, down: dpss.recall("dir") ? dpss.recall("dir") === "desc" : orderKey === "found" };
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    dpss.remember({ g: input.value.trim() });
    lookUp();
  });
  if (input.value) lookUp();
  else input.focus({ preventScroll: true });

  /** As dpss.website.genes.lookup.gene_key. */
  function geneKey(text) {
    return text.trim().toUpperCase().replace(/^(?:GRC[A-Z]+\d+|HG\d+|MM\d+)_+/, "").replace(/^(ENS[A-Z]*\d{6,})\.\d+$/, "$1");
  }

  function crc32(text) {
    let sum = -1;
    for (const byte of new TextEncoder().encode(text)) {
      sum ^= byte;
      for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
    }
    return (sum ^ -1) >>> 0;
  }

  /** The bucket of a key, as dpss.website.genes.lookup.line_of: the first bits of its checksum. */
  function bucketOf(key, n) {
    return Math.floor((crc32(key) * n) / 2 ** 32);
  }

  /** Load one file of each block, and return how many can't be loaded. */
  async function eachBlock(file, take) {
    let missing = 0;
    async function one(block) {
      try {
        take(await dpss.load("_dpss/lookup/" + nBlocks + "x" + nBuckets + "/" + block + "/" + file + ".js"));
      } catch {
        missing += 1;
      }
    }
    await Promise.all(await dpss.inSlices([...Array(nBlocks).keys()], LOADS_PER_SLICE, one));
    await dpss.pause();
    return missing;
  }

  /** Return the ids of the genes with a name, in any matrix. */
  async function idsOf(key, search) {
    const ids = new Set();
    search.missing += await eachBlock("names." + bucketOf(key, nNameBuckets), function (pairs) {
      for (const [name, id] of pairs) if (name === key) ids.add(id);
    });
    return ids;
  }

  /** Add the matrices that have a gene of this id to the hits. */
  async function collect(key, search) {
    search.missing += await eachBlock(bucketOf(key, nBuckets), function (shard) {
      const chosen = shard.lists.map((genes) => genes.flatMap(([id], i) => (geneKey(id) === key ? [i] : [])));
      for (const [folder, list, text] of shard.matrices) {
        for (const i of chosen[list]) {
          const [id, name] = shard.lists[list][i];
          const record = dpss.words(text.slice(i * RECORD, (i + 1) * RECORD));
          const [nFound, mean] = dpss.floats(record.subarray(0, 2));
          search.hits.push({ folder, id, name, nFound, mean, cells: record[2] || null, share: record[3] || null, variability: record[4] || null });
        }
      }
    });
  }

  /**
   * Find a gene under its name, its id and the other names of its id; and, in matrices that
   * have names in place of ids, under each of these names.
   */
  async function find(key) {
    const search = { hits: [], missing: 0 };
    const ids = await idsOf(key, search);
    if (!ids.size || ENSEMBL.test(key)) ids.add(key);
    for (const id of ids) await collect(id, search);
    const names = new Set(search.hits.map((hit) => geneKey(hit.name)));
    for (const name of [...names].slice(0, MAX_NAMES)) {
      if (name && name !== key && !ids.has(name) && (await idsOf(name, search)).has(name)) await collect(name, search);
    }
    return search;
  }

  async function lookUp() {
    const mine = ++latest;
    const text = input.value.trim();
    const key = geneKey(text);
    result.replaceChildren();
    if (!key) {
      status.textContent = "Type a gene’s symbol or Ensembl id.";
      return;
    }
    status.textContent = "Looking…";
    let matrices;
    try {
      matrices = await dpss.matrices();
    } catch {
      status.textContent = "The list of matrices can’t be loaded.";
      return;
    }
    await dpss.pause();
    const search = await find(key);
    const rows = (await dpss.inSlices(search.hits, HITS_PER_SLICE, (hit) => describe(hit, matrices))).filter(Boolean);
    await dpss.pause();
    if (mine === latest) show(text, rows, matrices.size, search.missing);
  }

  function describe(hit, matrices) {
    const matrix = matrices.get(hit.folder);
    if (!matrix) return null;
    const found = matrix.nCells && hit.nFound !== null ? (100 * hit.nFound) / matrix.nCells : null;
    const { title, address, label, nCells, sample } = matrix;
    return { ...hit, found, title, address, label, nCells, sample: sample.text, values: sample.values, simulated: sample.simulated, terms: sample.terms };
  }

  /** Return each id that was found, with all of its names. */
  function labelsOf(rows) {
    const names = new Map();
    for (const row of rows) {
      const id = geneKey(row.id);
      if (!names.has(id)) names.set(id, new Set());
      if (row.name && row.name !== row.id) names.get(id).add(row.name);
    }
    return [...names].map(([id, all]) => (all.size ? [...all].slice(0, 4).join(" / ") + " (" + id + ")" : id));
  }

  const COLUMNS = [
    ["title", "Project and matrix", false],
    ["sample", "Sample", false],
    ["found", "Found in", true],
    ["mean", "Mean count", true],
    ["cells", "Rank by cells", true],
    ["share", "Rank by share", true],
    ["variability", "Rank by variability", true],
  ];

  function show(text, rows, nMatrices, missing) {
    const there = new Set(rows.map((row) => row.folder)).size;
    const detected = new Set(rows.filter((row) => row.found).map((row) => row.folder)).size;
    const problem = missing ? " " + dpss.plural(missing, "file") + " could not be loaded, so that matrices may be missing." : "";
    document.title = geneKey(text) + " · Gene look-up · Summary statistics";
    if (!rows.length) {
      status.textContent = (missing ? "No gene “" + text + "” was found." : "No matrix has a gene “" + text + "”.") + problem + " Symbols differ between species and releases: an Ensembl id is more reliable.";
      return;
    }
    const labels = labelsOf(rows);
    severalGenes = new Set(rows.map((row) => row.id + " " + row.name)).size > 1;
    status.textContent = dpss.number(detected) + " of " + dpss.plural(nMatrices, "matrix", "matrices") + (detected === 1 ? " has" : " have") + " it in some cell" + (there > detected ? ", " + dpss.number(there - detected) + (there - detected === 1 ? " lists" : " list") + " it without a count" : "") + (nMatrices > there && !missing ? ", " + dpss.number(nMatrices - there) + (nMatrices - there === 1 ? " does" : " do") + " not list it" : "") + "." + problem;
    const table = element(
      "table",
      { class: "data cards" },
      element("thead", {}, element("tr", {}, ...COLUMNS.map(([name, label, isNumber]) => element("th", { scope: "col", "data-sort": name, class: isNumber ? "n" : null, ...(["cells", "share", "variability"].includes(name) ? { "data-up": true } : {}) }, label)))),
      element("tbody"),
    );
    const more = element("button", { type: "button", class: "quiet" }, "Show more");
    const facets = FACETS.map(([name, label]) => dpss.facet(rows, name, label, draw)).filter(Boolean);
    dpss.closeOthers(facets);
    const taken = element("p", { class: "status", role: "status" });
    const organs = element("div", { class: "organs" });
    const around = element("div", { class: "scroll", role: "region", "aria-label": "Matrices with this gene", tabindex: "0" }, table);
    let limit = PER_PAGE;
    let turn = 0;
    dpss.sortable(table, order, draw);
    more.addEventListener("click", function () {
      limit += PER_PAGE;
      draw();
    });
    result.replaceChildren(
      element("h2", {}, labels.slice(0, 4).join(", ") + (labels.length > 4 ? " and " + (labels.length - 4) + " more" : "")),
      ...(facets.length ? [element("div", { class: "facets" }, ...facets.map((facet) => facet.element))] : []),
      taken,
    );
    draw();

    /** Show the rows that the facets leave. Each part is added below the earlier ones, so that none moves. */
    async function draw() {
      const mine = ++turn;
      function outdated() {
        return mine !== turn || !taken.isConnected;
      }
      const shown = rows.filter((row) => facets.every((facet) => facet.takes(row)));
      for (const facet of facets) facet.count(rows.filter((row) => facets.every((other) => other === facet || other.takes(row))));
      taken.textContent = shown.length === rows.length ? "" : dpss.number(shown.length) + " of " + dpss.plural(rows.length, "line");
      dpss.remember({
        sort: order.key === "found" && order.down ? "" : order.key,
        dir: order.key === "found" && order.down ? "" : order.down ? "desc" : "asc",
        ...Object.fromEntries(facets.map((facet) => [facet.name, [...facet.chosen]])),
      });
      await dpss.pause();
      if (outdated()) return;
      organs.replaceChildren(...organStrips(shown));
      if (!organs.isConnected) result.append(organs);
      await dpss.pause();
      if (outdated()) return;
      dpss.sortBy(shown, (row) => row[order.key], order.down, (a, b) => (a.folder < b.folder ? -1 : 1));
      const lines = await dpss.inSlices(shown.slice(0, limit), ROWS_PER_SLICE, line);
      await dpss.pause();
      if (outdated()) return;
      table.tBodies[0].replaceChildren(...lines);
      more.hidden = shown.length <= limit;
      if (!around.isConnected) result.append(around, more);
    }
  }

  /** Strips of the share of cells by organ, the highest median first, on one axis from 0. */
  function organStrips(rows) {
    const shares = new Map();
    for (const row of rows) {
      for (const organ of row.found === null ? [] : row.terms.organ) {
        if (!shares.has(organ)) shares.set(organ, []);
        shares.get(organ).push(row.found);
      }
    }
    if (shares.size < 2) return [];
    const all = [...shares].map(([organ, values]) => ({ organ, n: values.length, at: quantiles(values) }));
    all.sort((a, b) => b.at[2] - a.at[2] || (a.organ < b.organ ? -1 : 1));
    const end = Math.max(...all.map((one) => one.at[4])) || 1;
    function strip({ organ, n, at }) {
      return element(
        "li",
        {},
        element("span", { class: "organ" }, organ),
        dpss.strip(at.map((value) => 3 + (114 * value) / end), false),
        element("span", { class: "sub" }, dpss.percent(at[2]) + (n === 1 ? "" : ", median of " + dpss.plural(n, "matrix", "matrices"))),
      );
    }
    const rest = all.splice(MAX_ORGANS);
    const hidden = element("ul");
    const details = element("details", {}, element("summary", {}, dpss.plural(rest.length, "more organ")), hidden);
    details.addEventListener("toggle", () => hidden.replaceChildren(...rest.map(strip)), { once: true });
    return [
      element("h3", {}, "Share of cells by organ"),
      element("ul", {}, ...all.map(strip)),
      ...(rest.length ? [details] : []),
      element("p", { class: "note" }, "Over the matrices of an organ: a line between 5 and 95 %, a bar over the middle half, a mark at the median; the axis goes from 0 to " + dpss.percent(end) + "."),
    ];
  }

  /** The quantiles of a strip, as numpy interpolates them. */
  function quantiles(values) {
    const sorted = [...values].sort((a, b) => a - b);
    return [0.05, 0.25, 0.5, 0.75, 0.95].map(function (q) {
      const place = q * (sorted.length - 1);
      const below = sorted[Math.floor(place)];
      return below + (place % 1) * (sorted[Math.ceil(place)] - below);
    });
  }

  function bar(value) {
    const made = dpss.svg("svg", { class: "share", width: 60, height: 8, "aria-hidden": "true" });
    for (const [name, width] of [["whole", 60], ["part", ((value || 0) * 0.6).toFixed(1)]]) made.append(dpss.svg("rect", { class: name, width, height: 8, rx: 2 }));
    return made;
  }

  function line(row) {
    const name = row.name && row.name !== row.id ? row.name : "";
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, element("a", { href: row.address }, row.title), row.simulated ? element("span", { class: "tag" }, "simulated") : null, element("span", { class: "sub" }, [row.label, ...(severalGenes ? [name, row.id] : [])].filter(Boolean).join(" · "))),
      element("td", { "data-label": "Sample" }, row.sample || "–", row.values === "counts" ? null : element("span", { class: "sub" }, row.values)),
      element("td", { class: "n", "data-label": "Found in" }, bar(row.found), dpss.percent(row.found), element("span", { class: "sub" }, "of " + dpss.plural(row.nCells, "cell"))),
      element("td", { class: "n", "data-label": "Mean count" }, dpss.number(row.mean)),
      element("td", { class: "n", "data-label": "Rank by cells" }, dpss.number(row.cells)),
      element("td", { class: "n", "data-label": "Rank by share" }, dpss.number(row.share)),
      element("td", { class: "n", "data-label": "Rank by variability" }, dpss.number(row.variability)),
    );
  }
})();
