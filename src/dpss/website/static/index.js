/* The table of all projects: search, facets, order and small figures; all but the last in the address. */
"use strict";

(function () {
  const table = document.getElementById("projects");
  if (!table) return;
  const { element, plain } = dpss;
  const body = table.tBodies[0];
  const status = document.getElementById("status");
  const FACETS = [
    ["species", "Species"],
    ["organ", "Organ"],
    ["technology", "Technology"],
    ["values", "Values"],
    ["checks", "Checks"],
  ];
  const headings = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.sort);

  const projects = [...body.rows].map(function (row, position) {
    const cells = {};
    headings.forEach((name, i) => (cells[name] = row.cells[i]));
    const terms = { values: JSON.parse(row.dataset.values), checks: [cells.checks.dataset.term] };
    for (const name of ["species", "organ", "technology"]) terms[name] = JSON.parse(cells[name].dataset.terms);
    // Not the numbers: who looks for "part 59" doesn't mean 1,590 cells.
    const said = [cells.title, cells.species, cells.organ, cells.technology].map((cell) => cell.textContent);
    const text = plain([...said, row.dataset.search].join(" "));
    return { row, position, cells, terms, text, shown: true };
  });

  const order = { key: dpss.recall("sort") || "title", down: dpss.recall("dir") === "desc" };
  const search = element("input", { id: "q", type: "search", autocomplete: "off", spellcheck: "false" });
  search.value = dpss.recall("q");
  const facets = FACETS.map(([name, label]) => makeFacet(name, label)).filter(Boolean);
  const clear = element("button", { type: "button", class: "quiet", onclick: reset }, "Clear all");
  const controls = document.getElementById("controls");
  controls.append(
    element("div", { class: "search" }, element("label", { for: "q" }, "Search titles, tissues, technologies, matrices"), search),
    element("div", { class: "facets" }, ...facets.map((facet) => facet.element), clear),
  );
  controls.hidden = false;

  search.addEventListener("input", dpss.settled(update, 120));
  dpss.sortable(table, order, update);
  projects.forEach(addPreview);
  addDates();
  update();

  /** Make a list of check boxes, one per term that occurs. */
  function makeFacet(name, label) {
    const counts = new Map();
    for (const project of projects) for (const term of project.terms[name]) counts.set(term, (counts.get(term) || 0) + 1);
    if (counts.size < 2) return null;
    const chosen = new Set(dpss.recallAll(name).filter((term) => counts.has(term)));
    const summary = element("summary", {}, label);
    const options = [...counts.keys()].sort((a, b) => a.localeCompare(b, "en")).map(function (term) {
      const box = element("input", { type: "checkbox" });
      box.checked = chosen.has(term);
      box.addEventListener("change", function () {
        if (box.checked) chosen.add(term);
        else chosen.delete(term);
        update();
      });
      const count = element("span", { class: "count" });
      return { term, box, count, line: element("label", {}, box, " ", element("span", {}, term), " ", count) };
    });
    const made = element("details", { class: "facet" }, summary, element("fieldset", {}, element("legend", { class: "visually-hidden" }, label), ...options.map((option) => option.line)));
    made.addEventListener("keydown", function (event) {
      if (event.key === "Escape" && made.open) {
        made.open = false;
        summary.focus();
      }
    });
    return { name, label, chosen, options, summary, element: made };
  }

  // Only one list is open at a time, and a click elsewhere closes it.
  document.addEventListener("click", function (event) {
    for (const facet of facets) if (facet.element.open && !facet.element.contains(event.target)) facet.element.open = false;
  });

  function matches(project, words, except) {
    return (
      words.every((word) => project.text.includes(word)) &&
      facets.every((facet) => facet === except || !facet.chosen.size || project.terms[facet.name].some((term) => facet.chosen.has(term)))
    );
  }

  function sortValue(project) {
    const cell = project.cells[order.key] || project.cells.title;
    if ("v" in cell.dataset) return cell.dataset.v === "" ? null : Number(cell.dataset.v);
    return cell.textContent.trim() || null;
  }

  function update() {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    let cells = 0;
    let shown = 0;
    for (const project of projects) {
      project.shown = matches(project, words, null);
      project.row.hidden = !project.shown;
      if (project.preview) project.preview.hidden = !project.shown || !project.open;
      if (project.shown) {
        shown += 1;
        cells += Number(project.cells.cells.dataset.v);
      }
    }
    for (const facet of facets) {
      const others = projects.filter((project) => matches(project, words, facet));
      for (const option of facet.options) {
        const count = others.filter((project) => project.terms[facet.name].includes(option.term)).length;
        option.count.textContent = dpss.number(count);
        option.line.classList.toggle("none", !count && !option.box.checked);
      }
      facet.summary.textContent = facet.label + (facet.chosen.size ? " (" + facet.chosen.size + ")" : "");
      facet.element.classList.toggle("active", facet.chosen.size > 0);
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

  /** Bring the rows into order; what has no value comes last either way. */
  function arrange() {
    const collator = new Intl.Collator("en", { numeric: true });
    const values = new Map(projects.map((project) => [project, sortValue(project)]));
    const sign = order.down ? -1 : 1;
    projects.sort(function (a, b) {
      const x = values.get(a);
      const y = values.get(b);
      if (x === null || y === null) return (x === null) - (y === null) || a.position - b.position;
      return sign * (typeof x === "number" ? x - y : collator.compare(x, y)) || a.position - b.position;
    });
    const focused = document.activeElement;
    const rows = document.createDocumentFragment();
    for (const project of projects) {
      rows.append(project.row);
      if (project.preview) rows.append(project.preview);
    }
    body.append(rows);
    if (focused && focused !== document.activeElement && table.contains(focused)) focused.focus();
  }

  function reset() {
    search.value = "";
    for (const facet of facets) {
      facet.chosen.clear();
      for (const option of facet.options) option.box.checked = false;
    }
    update();
    search.focus();
  }

  /** Give a row a button that shows small figures of its matrices below it. */
  function addPreview(project) {
    if (!JSON.parse(project.row.dataset.pictures).some((matrix) => matrix[2].length)) return;
    const title = project.cells.title.querySelector("a").textContent;
    const button = element("button", { type: "button", class: "quiet preview-button", "aria-expanded": "false", "aria-label": "Figures of " + title }, "Figures");
    button.addEventListener("click", function () {
      project.open = !project.open;
      button.setAttribute("aria-expanded", String(project.open));
      if (!project.preview) {
        project.preview = element("tr", { class: "preview" }, element("td", { colspan: headings.length }, ...pictures(project)));
        project.row.after(project.preview);
      }
      project.preview.hidden = !project.open;
    });
    project.cells.title.append(button);
  }

  function pictures(project) {
    return JSON.parse(project.row.dataset.pictures).map(function ([label, path, slugs]) {
      const images = slugs.map((slug) =>
        element("a", { href: path + slug + ".svg" }, element("img", { src: path + slug + ".png", alt: slug.replaceAll("_", " ") + " of " + label, loading: "lazy", width: 320, height: 240 })),
      );
      return element("div", { class: "pictures" }, element("p", {}, label), element("div", {}, ...images));
    });
  }

  /** Say when each project was last published; the pages themselves don't, so that they stay the same. */
  function addDates() {
    dpss.load("runs/dates.js", "dates").then(
      function (dates) {
        const known = new Map(dates.projects);
        let any = false;
        for (const project of projects) {
          const cell = project.cells.date;
          const date = known.get(project.row.dataset.folder);
          cell.dataset.v = date ? Date.parse(date) : "";
          if (date) {
            any = true;
            cell.append(element("time", { datetime: date }, date.slice(0, 10)));
          }
        }
        if (any) for (const cell of table.querySelectorAll(".date")) cell.hidden = false;
        if (any && order.key === "date") update();
      },
      () => undefined,
    );
  }
})();
