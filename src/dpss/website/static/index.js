/* The table of all projects: search, facets, order and small figures; all but the last in the address. */
"use strict";

(async function () {
  const table = document.getElementById("projects");
  if (!table) return;
  const { element, plain } = dpss;
  const PER_PAGE = 100;
  const body = table.tBodies[0];
  const nFirst = body.rows.length;
  let limit = nFirst;
  const status = document.getElementById("status");
  const FACETS = [
    ["species", "Species"],
    ["organ", "Organ"],
    ["technology", "Technology"],
    ["values", "Values"],
    ["assumed", "Assumed"],
    ["checks", "Checks"],
  ];
  const headings = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.sort);
  let projects;
  try {
    projects = (await dpss.load("_dpss/projects.js")).map(read);
  } catch {
    status.textContent = "The list of projects can’t be loaded, so that it can’t be searched or sorted.";
    return;
  }
  const later = document.getElementById("others");
  const rest = later ? later.textContent.slice(later.textContent.indexOf("<tbody>")).match(/<tr>[^]*?<\/tr>/g) : [];
  // While a run publishes, the list may be newer than the page: rows would stand for other projects.
  if (projects.length !== nFirst + rest.length || [...body.rows].some((row, i) => row.querySelector("a").textContent !== projects[i].title)) {
    status.textContent = "The list of projects has changed: load this page again to search and sort it.";
    return;
  }
  [...body.rows].forEach((row, i) => adopt(projects[i], row));
  await dpss.pause();

  const order = { key: dpss.recall("sort") || "title", down: dpss.recall("dir") === "desc" };
  const search = element("input", { id: "q", type: "search", autocomplete: "off", spellcheck: "false" });
  search.value = dpss.recall("q");
  const facets = [];
  for (const [name, label] of FACETS) {
    const facet = dpss.facet(projects, name, label, changeView);
    if (facet) facets.push(facet);
    await dpss.pause();
  }
  dpss.closeOthers(facets);
  const clear = element("button", { type: "button", class: "quiet", onclick: reset }, "Clear all");
  const compared = new Set(dpss.recallAll("compare"));
  const compare = element("a", { class: "compare-link", href: "compare.html" });
  const controls = document.getElementById("controls");
  controls.append(
    element("div", { class: "search" }, element("label", { for: "q" }, "Search titles, tissues, technologies, matrices"), search),
    element("div", { class: "facets" }, ...facets.map((facet) => facet.element), clear, compare),
  );
  controls.hidden = false;

  search.addEventListener("input", dpss.settled(changeView, 120));
  dpss.sortable(table, order, changeView);
  const more = element("button", { type: "button", class: "quiet", hidden: true }, "Show more");
  more.addEventListener("click", function () {
    const first = limit;
    limit += PER_PAGE;
    arrange();
    const next = projects.filter((project) => project.shown)[first];
    if (next) next.row.querySelector("a").focus();
  });
  table.parentElement.after(element("p", { class: "pages" }, more));
  showCompared();
  update();
  table.classList.add("ready");
  if (headings.includes("date")) addDates();

  function read(record, position) {
    const [folder, title, text, species, organ, technology, values, assumed, checks, nChecks, cells, genes, medianGenes, medianCounts, mt] = record;
    return {
      position,
      folder,
      title,
      // Without the numbers: a search for "part 59" is not for 1,590 cells.
      said: [title, ...species, ...organ, ...technology, text].join(" "),
      text: null,
      shown: true,
      terms: { species, organ, technology, values, assumed, checks: [checks] },
      // The titles are in order already.
      sort: { title: position, species: species.join(", "), organ: organ.join(", "), technology: technology.join(", "), cells, genes, "median-genes": medianGenes, "median-counts": medianCounts, mt, checks: nChecks },
    };
  }

  /** Return the row of a project: of the page, or made from the part of it for browsers without scripts. */
  function rowOf(project) {
    if (!project.row) {
      const holder = document.createElement("tbody");
      holder.innerHTML = rest[project.position - nFirst];
      adopt(project, holder.rows[0]);
    }
    return project.row;
  }

  function adopt(project, row) {
    project.row = row;
    project.button = row.querySelector(".preview-button");
    if (project.button) project.button.addEventListener("click", () => preview(project));
    const box = row.querySelector(".compare input");
    box.checked = dpss.recallAll("compare").includes(project.folder);
    box.addEventListener("change", function () {
      if (box.checked) compared.add(project.folder);
      else compared.delete(project.folder);
      dpss.remember({ compare: [...compared] });
      showCompared();
    });
    if (project.date) showDate(project);
  }

  /** Update the link to the page that compares the chosen projects. */
  function showCompared() {
    const known = [...compared].filter((folder) => projects.some((project) => project.folder === folder));
    compare.hidden = !known.length;
    compare.textContent = "Compare " + dpss.plural(known.length, "project");
    compare.href = "compare.html?" + new URLSearchParams(known.map((folder) => ["p", folder]));
  }

  function matches(project, words, except) {
    if (words.length && project.text === null) project.text = plain(project.said);
    return (
      words.every((word) => project.text.includes(word)) &&
      facets.every((facet) => facet === except || facet.takes(project))
    );
  }

  function sortValue(project) {
    const value = project.sort[order.key];
    return value === "" ? null : value;
  }

  function changeView() {
    limit = nFirst;
    update();
  }

  function update() {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    let cells = 0;
    let shown = 0;
    for (const project of projects) {
      project.shown = matches(project, words, null);
      if (project.shown) {
        shown += 1;
        cells += project.sort.cells;
      }
    }
    for (const facet of facets) {
      facet.count(projects.filter((project) => matches(project, words, facet)));
    }
    arrange();
    const filtered = shown !== projects.length;
    clear.hidden = !words.length && !facets.some((facet) => facet.chosen.size);
    status.textContent = (filtered ? dpss.number(shown) + " of " : "") + dpss.plural(projects.length, "project") + ", " + dpss.plural(cells, "cell");
    dpss.remember({
      q: search.value,
      sort: order.key === "title" && !order.down ? "" : order.key,
      dir: order.down ? "desc" : "",
      ...Object.fromEntries(facets.map((facet) => [facet.name, [...facet.chosen]])),
    });
  }

  /** Show the rows in order; projects without a value come last. */
  function arrange() {
    dpss.sortBy(projects, sortValue, order.down, (a, b) => a.position - b.position);
    const focused = document.activeElement;
    const rows = [];
    let count = 0;
    for (const project of projects) {
      if (!project.shown) continue;
      count += 1;
      if (count > limit) break;
      rows.push(rowOf(project));
      if (project.preview && project.open) rows.push(project.preview);
    }
    const same = rows.length === body.rows.length && rows.every((row, i) => row === body.rows[i]);
    if (!same) body.replaceChildren(...rows);
    more.hidden = projects.filter((project) => project.shown).length <= limit;
    if (focused && focused !== document.activeElement && table.contains(focused)) focused.focus();
  }

  function reset() {
    search.value = "";
    for (const facet of facets) facet.clear();
    changeView();
    search.focus();
  }

  /** Show small figures of a project's matrices below its row, or hide them. */
  async function preview(project) {
    project.open = !project.open;
    project.button.setAttribute("aria-expanded", String(project.open));
    if (!project.preview) {
      const cell = element("td", { colspan: headings.length }, "Loading…");
      project.preview = element("tr", { class: "preview" }, cell);
      dpss.matrices().then(
        (matrices) => cell.replaceChildren(...pictures(project, matrices)),
        () => (cell.textContent = "The list of matrices can’t be loaded."),
      );
    }
    if (project.open) project.row.after(project.preview);
    else project.preview.remove();
  }

  function pictures(project, matrices) {
    const mine = [...matrices.values()].filter((matrix) => matrix.project === project.folder);
    return mine.map(function ({ folder, path, title, address, label, sample }) {
      const images = sample.pictures.map((slug) =>
        element("a", { href: path + slug + ".svg" }, element("picture", {}, element("source", { media: "(prefers-color-scheme: dark)", srcset: path + slug + ".svg", type: "image/svg+xml" }), element("img", { src: path + slug + ".png", alt: slug.replaceAll("_", " ") + " of " + (label || title), loading: "lazy", width: 320, height: 240 }))),
      );
      return element("div", { class: "pictures" }, element("p", {}, element("a", { href: address }, label || folder)), element("div", {}, ...images));
    });
  }

  /** Show when each project was last published; the dates are in a file of their own, so that pages stay the same. */
  function addDates() {
    dpss.load("runs/dates.js").then(
      function (dates) {
        const known = new Map(dates.projects);
        for (const project of projects) {
          project.date = known.get(project.folder);
          project.sort.date = project.date ? Date.parse(project.date) : null;
          if (project.date && project.row) showDate(project);
        }
        if (order.key === "date") update();
      },
      () => undefined,
    );
  }

  function showDate(project) {
    const cell = project.row.cells[headings.indexOf("date")];
    if (cell && !cell.firstChild) cell.append(element("time", { datetime: project.date }, project.date.slice(0, 10)));
  }
})();
