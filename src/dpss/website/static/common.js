/* Functions of all pages: data files, elements, numbers as text, sorting, and the address. */
"use strict";

var dpss = (function () {
  const root = new URL("..", document.currentScript.src);
  const asked = new Map();
  const values = new WeakMap();

  /** Called by a data file: store its value for the function that loads the file. */
  function receive(value) {
    values.set(document.currentScript, value);
  }

  /**
   * Load a data file. It is a script, since a page opened from a folder may load scripts
   * from it but may not fetch anything.
   * @param {string} path from the top page, percent-encoded
   */
  function load(path) {
    if (!asked.has(path)) {
      const promise = new Promise(function (resolve, reject) {
        const script = document.createElement("script");
        script.src = new URL(path, root);
        script.onload = function () {
          script.remove();
          if (values.has(script)) resolve(values.get(script));
          else reject(new Error(path + " holds no data"));
        };
        script.onerror = function () {
          script.remove();
          asked.delete(path);
          reject(new Error(path + " can’t be loaded"));
        };
        document.head.append(script);
      });
      asked.set(path, promise);
    }
    return asked.get(path);
  }

  /**
   * All matrices by folder, as dpss.website.pages.portal writes them. Those of the same sample
   * share its terms.
   */
  async function matrices() {
    const listed = await load("_dpss/matrices.js");
    const samples = listed.samples.map(function ([species, organ, technology, values, simulated, pictures]) {
      const text = [species, organ, technology].map((terms) => terms.join(", ")).filter(Boolean).join(" · ");
      return { terms: { species, organ, technology, values: [values] }, text, values, simulated, pictures };
    });
    const found = new Map();
    for (const [project, rest, label, sample, nCells, quoted] of listed.matrices) {
      const [title, folder, path] = listed.projects[project];
      const address = quoted === undefined ? rest : quoted;
      const whole = rest ? folder + "/" + rest : folder;
      found.set(whole, { project: folder, folder: whole, path: rest ? path + address + "/" : path, title, address: path + "index.html#m-" + address, label: label === 0 ? rest : label, nCells, sample: samples[sample] });
    }
    return found;
  }

  /** Let the browser paint and handle events before the script continues. */
  function pause() {
    return window.scheduler && scheduler.yield ? scheduler.yield() : new Promise((resume) => setTimeout(resume));
  }

  /** Make something of each item, `size` items at a time, so that the page stays responsive. */
  async function inSlices(items, size, make) {
    const made = [];
    for (let start = 0; start < items.length; start += size) {
      if (start) await pause();
      made.push(...items.slice(start, start + size).map(make));
    }
    return made;
  }

  /** Words of 24 bits from base64, as dpss.website.genes.packing writes them. */
  function words(text) {
    const bytes = atob(text);
    const made = new Uint32Array(bytes.length / 3);
    for (let i = 0; i < made.length; i += 1) made[i] = (bytes.charCodeAt(3 * i) << 16) | (bytes.charCodeAt(3 * i + 1) << 8) | bytes.charCodeAt(3 * i + 2);
    return made;
  }

  /** Words as floats; what isn't a finite number is null. */
  function floats(whole) {
    const found = new Float32Array(Uint32Array.from(whole, (word) => word << 8).buffer);
    return Array.from(found, (value) => (Number.isFinite(value) ? value : null));
  }

  /** Make an element. Children that are strings become text, never markup. */
  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  let digits = null;
  let collator = null;

  /** A number as text; a dash where there is none. */
  function number(value) {
    if (value === null || value === undefined) return "–";
    if (Number.isInteger(value) || Math.abs(value) >= 999.5) {
      // One formatter, made when it is needed first: each takes as long as a hundred numbers.
      digits = digits || new Intl.NumberFormat("en");
      return digits.format(Math.round(value));
    }
    const size = Math.abs(value);
    return size !== 0 && size < 1e-4 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
  }

  function percent(value) {
    if (value === null || value === undefined) return "–";
    if (value > 0 && value < 0.005) return "<\u20090.01\u202f%";
    const digits = value === 0 || value === 100 ? 0 : value < 1 || value > 99 ? 2 : 1;
    return value.toFixed(digits) + "\u202f%";
  }

  function plural(count, noun, many) {
    return number(count) + " " + (count === 1 ? noun : many || noun + "s");
  }

  /** Return a text as searches compare it: in lower case, without accents. */
  function plain(text) {
    return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  }

  /** Change the address to hold these values (lists for several), without leaving the page. */
  function remember(values) {
    const parameters = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(values)) {
      parameters.delete(name);
      for (const one of [].concat(value)) if (one) parameters.append(name, one);
    }
    const query = parameters.toString();
    history.replaceState(null, "", location.pathname + (query ? "?" + query : "") + location.hash);
  }

  function recall(name) {
    return new URLSearchParams(location.search).get(name) || "";
  }

  function recallAll(name) {
    return new URLSearchParams(location.search).getAll(name);
  }

  /** Run a function once its last call is some time ago. */
  function settled(run, milliseconds) {
    let timer = 0;
    return function () {
      clearTimeout(timer);
      timer = setTimeout(run, milliseconds);
    };
  }

  /**
   * Sort items in place by a value of each: numbers, or texts with the numbers in them by size. Items without a value
   * (null or undefined) come last in either direction; `tie` orders those with equal values.
   */
  function sortBy(items, value, down, tie) {
    collator = collator || new Intl.Collator("en", { numeric: true });
    const sign = down ? -1 : 1;
    return items.sort(function (a, b) {
      const [x, y] = [value(a) ?? null, value(b) ?? null];
      if (x === null || y === null) return (x === null) - (y === null) || tie(a, b);
      return sign * (typeof x === "number" ? x - y : collator.compare(x, y)) || tie(a, b);
    });
  }

  /**
   * Make a table's headings sort it.
   * @param {HTMLTableElement} table whose headings have data-sort
   * @param {{key: string, down: boolean}} order the present order; changed in place
   * @param {function} changed called after a change
   */
  function sortable(table, order, changed) {
    function show() {
      for (const heading of table.tHead.querySelectorAll("[data-sort]")) {
        const active = heading.dataset.sort === order.key;
        if (active) heading.setAttribute("aria-sort", order.down ? "descending" : "ascending");
        else heading.removeAttribute("aria-sort");
      }
    }
    for (const heading of table.tHead.querySelectorAll("[data-sort]")) {
      const button = element("button", { type: "button", class: "sort" });
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", function () {
        const same = heading.dataset.sort === order.key;
        order.down = same ? !order.down : heading.classList.contains("n") && !("up" in heading.dataset);
        order.key = heading.dataset.sort;
        show();
        changed();
      });
    }
    show();
  }

  /**
   * Make a list of check boxes, one per term that occurs, which narrows a list of items.
   * @param {Array} items each with lists of terms by name
   * @param {string} name of the terms; also in the address
   * @param {string} label shown on the page
   * @param {function} changed called after a change by hand
   * @returns {?object} null where all items have the same term
   */
  function facet(items, name, label, changed) {
    const counts = new Map();
    for (const item of items) for (const term of item.terms[name]) counts.set(term, (counts.get(term) || 0) + 1);
    if (counts.size < 2) return null;
    const chosen = new Set(recallAll(name).filter((term) => counts.has(term)));
    const summary = element("summary", {}, label);
    const options = [...counts.keys()].sort(new Intl.Collator("en").compare).map(function (term) {
      const box = element("input", { type: "checkbox" });
      box.checked = chosen.has(term);
      box.addEventListener("change", function () {
        if (box.checked) chosen.add(term);
        else chosen.delete(term);
        changed();
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
    /** Tell whether an item has a chosen term, or none is chosen. */
    function takes(item) {
      return !chosen.size || item.terms[name].some((term) => chosen.has(term));
    }
    /** Show how many of some items have each term. */
    function count(others) {
      const left = new Map();
      for (const item of others) for (const term of item.terms[name]) left.set(term, (left.get(term) || 0) + 1);
      for (const option of options) {
        const n = left.get(option.term) || 0;
        option.count.textContent = number(n);
        option.line.classList.toggle("none", !n && !option.box.checked);
      }
      summary.textContent = label + (chosen.size ? " (" + chosen.size + ")" : "");
      made.classList.toggle("active", chosen.size > 0);
    }
    function clear() {
      chosen.clear();
      for (const option of options) option.box.checked = false;
    }
    return { name, label, chosen, element: made, takes, count, clear };
  }

  /** Keep at most one list of check boxes open; a click elsewhere closes it. */
  function closeOthers(facets) {
    document.addEventListener("click", function (event) {
      for (const one of facets) if (one.element.open && !one.element.contains(event.target)) one.element.open = false;
    });
  }

  /**
   * Draw a strip: a line from 5 to 95 %, a bar over the middle half and a mark at the median.
   * @param {number[]} places in pixels of 120: 5, 25, 50, 75 and 95 %
   */
  function strip([low, begin, middle, end, high], odd) {
    const made = svg("svg", { class: odd ? "strip odd" : "strip", width: 120, height: 14, viewBox: "0 0 120 14", "aria-hidden": "true", focusable: "false" });
    made.append(svg("path", { d: "M" + low.toFixed(1) + " 7H" + high.toFixed(1) }), svg("rect", { x: begin.toFixed(1), y: 3, width: Math.max(1, end - begin).toFixed(1), height: 8, rx: 2 }), svg("path", { class: "middle", d: "M" + middle.toFixed(1) + " 0V14" }));
    return made;
  }

  function svg(name, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  return { facet, closeOthers, strip, svg, root, receive, load, matrices, pause, inSlices, words, floats, element, number, percent, plural, plain, remember, recall, recallAll, settled, sortBy, sortable };
})();
