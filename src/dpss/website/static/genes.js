/* The look-up of a gene: one small file of each block tells in which matrices it is. */
"use strict";

(function () {
  const form = document.getElementById("lookup");
  const input = document.getElementById("g");
  const status = document.getElementById("status");
  const result = document.getElementById("result");
  const { element } = dpss;
  const nBlocks = Number(form.dataset.blocks);
  const nBuckets = Number(form.dataset.buckets);
  const PER_PAGE = 200;
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

  /** As dpss.website.shards.gene_key. */
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

  /** Load the files of one key; a missing file holds nothing. */
  async function bucketOf(key, each) {
    const layout = nBlocks + "x" + nBuckets;
    const bucket = crc32(key) % nBuckets;
    let missing = 0;
    await Promise.all(
      Array.from({ length: nBlocks }, async function (_, block) {
        const name = "genes/" + layout + "/" + block + "/" + bucket;
        try {
          each(await dpss.load("_dpss/" + name + ".js", name));
        } catch {
          missing += 1;
        }
      }),
    );
    return missing;
  }

  async function lookUp() {
    const mine = ++latest;
    const key = geneKey(input.value);
    result.replaceChildren();
    if (!key) {
      status.textContent = "Type a gene’s symbol or Ensembl id.";
      return;
    }
    status.textContent = "Looking…";
    let matrices;
    try {
      matrices = new Map((await dpss.load("_dpss/matrices.js", "matrices")).map((row) => [row[0], row]));
    } catch {
      status.textContent = "The list of matrices can’t be loaded.";
      return;
    }
    const found = [];
    const names = new Set();
    let missing = await bucketOf(key, function (shard) {
      collect(shard, key, found, (genes, i) => geneKey(genes[2][i] || genes[1][i]) === key);
      for (const genes of shard.lists) for (const [id, name] of genes[3]) if (id === key) names.add(name);
    });
    for (const name of names) {
      missing += await bucketOf(name, (shard) => collect(shard, key, found, (genes, i) => geneKey(genes[1][i]) === key));
    }
    if (mine !== latest) return;
    const rows = found.map((hit) => describe(hit, matrices)).filter(Boolean);
    show(key, rows, matrices.size, missing);
  }

  /** Take from a file the genes that are asked for. */
  function collect(shard, key, found, wanted) {
    const lists = new Map(shard.lists.map((genes) => [genes[0], genes]));
    const chosen = new Map();
    for (const [name, genes] of lists) {
      const which = genes[1].map((_, i) => i).filter((i) => wanted(genes, i));
      if (which.length) chosen.set(name, which);
    }
    for (const [folder, list, dropout, mean, rankCells, rankShare, rankVariability] of shard.matrices) {
      for (const i of chosen.get(list) || []) {
        const genes = lists.get(list);
        found.push({
          folder,
          id: genes[1][i],
          name: genes[2][i],
          found: dropout[i] === null ? null : 100 - dropout[i],
          mean: mean[i],
          cells: rankCells[i],
          share: rankShare[i],
          variability: rankVariability[i],
        });
      }
    }
  }

  function describe(hit, matrices) {
    const row = matrices.get(hit.folder);
    if (!row) return null;
    const [, path, title, address, label, species, organ, technology, nCells, values, simulated] = row;
    const sample = [species, organ, technology].map((terms) => terms.join(", ")).filter(Boolean).join(" · ");
    return { ...hit, path, title, address, label, sample, nCells, values, simulated };
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

  function show(key, rows, nMatrices, missing) {
    const there = new Set(rows.map((row) => row.folder)).size;
    const detected = new Set(rows.filter((row) => row.found).map((row) => row.folder)).size;
    const problem = missing ? " " + dpss.plural(missing, "file") + " could not be loaded, so that matrices may be missing." : "";
    document.title = key + " · Gene look-up · Summary statistics";
    if (!rows.length) {
      status.textContent = "No matrix has a gene “" + input.value.trim() + "”." + problem + " Symbols differ between species and releases: an Ensembl id is surer.";
      return;
    }
    const labels = [...new Set(rows.map((row) => (row.name && row.name !== row.id ? row.name + " (" + row.id + ")" : row.id)))];
    severalGenes = labels.length > 1;
    status.textContent = dpss.number(detected) + " of " + dpss.plural(nMatrices, "matrix", "matrices") + (detected === 1 ? " has" : " have") + " it in some cell" + (there > detected ? ", " + dpss.number(there - detected) + (there - detected === 1 ? " lists" : " list") + " it without a count" : "") + (nMatrices > there ? ", " + dpss.number(nMatrices - there) + (nMatrices - there === 1 ? " does" : " do") + " not list it" : "") + "." + problem;
    const table = element(
      "table",
      { class: "data" },
      element("thead", {}, element("tr", {}, ...COLUMNS.map(([name, label, isNumber]) => element("th", { scope: "col", "data-sort": name, class: isNumber ? "n" : null, ...(["cells", "share", "variability"].includes(name) ? { "data-up": true } : {}) }, label)))),
      element("tbody"),
    );
    const more = element("button", { type: "button", class: "quiet" }, "Show more");
    let limit = PER_PAGE;
    const draw = function () {
      rows.sort(compare);
      table.tBodies[0].replaceChildren(...rows.slice(0, limit).map(line));
      more.hidden = rows.length <= limit;
      dpss.remember({ sort: order.key === "found" && order.down ? "" : order.key, dir: order.key === "found" && order.down ? "" : order.down ? "desc" : "asc" });
    };
    more.addEventListener("click", function () {
      limit += PER_PAGE;
      draw();
    });
    dpss.sortable(table, order, draw);
    result.replaceChildren(
      element("h2", {}, labels.slice(0, 4).join(", ") + (labels.length > 4 ? " and " + (labels.length - 4) + " more" : "")),
      element("div", { class: "scroll", role: "region", "aria-label": "Matrices with this gene", tabindex: "0" }, table),
      more,
    );
    draw();
  }

  function compare(a, b) {
    const x = a[order.key];
    const y = b[order.key];
    const sign = order.down ? -1 : 1;
    const tie = a.folder < b.folder ? -1 : 1;
    if (x === null || y === null) return (x === null) - (y === null) || tie;
    return sign * (typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true })) || tie;
  }

  function bar(value) {
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    const put = (name, width) => {
      const rect = document.createElementNS(ns, "rect");
      for (const [key, v] of Object.entries({ class: name, width, height: 8, rx: 2 })) rect.setAttribute(key, v);
      svg.append(rect);
    };
    for (const [key, v] of Object.entries({ class: "share", width: 60, height: 8, "aria-hidden": "true" })) svg.setAttribute(key, v);
    put("whole", 60);
    put("part", ((value || 0) * 0.6).toFixed(1));
    return svg;
  }

  function line(row) {
    const name = row.name && row.name !== row.id ? row.name : "";
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, element("a", { href: row.address }, row.title), row.simulated ? element("span", { class: "tag" }, "simulated") : null, element("span", { class: "sub" }, [row.label, ...(severalGenes ? [name, row.id] : [])].filter(Boolean).join(" · "))),
      element("td", {}, row.sample || "–", row.values === "counts" ? null : element("span", { class: "sub" }, row.values)),
      element("td", { class: "n" }, bar(row.found), dpss.percent(row.found), element("span", { class: "sub" }, "of " + dpss.plural(row.nCells, "cell"))),
      element("td", { class: "n" }, dpss.number(row.mean)),
      element("td", { class: "n" }, dpss.number(row.cells)),
      element("td", { class: "n" }, dpss.number(row.share)),
      element("td", { class: "n" }, dpss.number(row.variability)),
    );
  }
})();
