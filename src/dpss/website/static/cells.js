/* Interactive plots of cells, shown in place of their figures on demand, with two limits that can be moved. */
"use strict";

(function () {
  const { element, number, percent, chart } = dpss;

  const several = document.querySelectorAll("article.matrix").length > 1;
  for (const article of document.querySelectorAll("article[data-plots]")) {
    for (const slug of article.dataset.slugs.split(" ")) {
      const figure = document.getElementById(article.id + "-" + slug);
      if (figure) prepare(article, figure, slug);
    }
  }

  function prepare(article, figure, slug) {
    const picture = figure.querySelector(".paper");
    const title = figure.querySelector("figcaption strong").textContent.replace(/\.$/, "") + (several ? " of " + article.querySelector("h2").textContent : "");
    const words = element("span", {}, "Interactive plot");
    const button = element("button", { type: "button", class: "quiet", "aria-expanded": "false" }, words, element("span", { class: "visually-hidden" }, " of " + title));
    const place = element("span", { class: "interactive" }, button);
    figure.querySelector("figcaption").append(place);
    let shown = null;
    let failed = null;
    button.addEventListener("click", async function () {
      try {
        if (!shown) {
          const plots = await dpss.load(article.dataset.plots);
          if (shown || !plots[slug]) return;
          shown = draw(plots[slug], title);
          shown.hidden = true;
          picture.after(shown);
        }
      } catch {
        if (failed) failed.remove();
        failed = element("span", { role: "alert" }, " The cells could not be loaded.");
        place.append(failed);
        return;
      }
      if (failed) failed.remove();
      shown.hidden = !shown.hidden;
      picture.hidden = !shown.hidden;
      words.textContent = shown.hidden ? "Interactive plot" : "Back to the figure";
      button.setAttribute("aria-expanded", String(!shown.hidden));
    });
  }

  function draw(plot, title) {
    const canvas = element("canvas", { "aria-hidden": "true" });
    const tip = element("div", { class: "tip", hidden: true });
    const said = element("span", { class: "visually-hidden", role: "status" });
    const marks = marksOf(plot);
    const total = plot.grid.n.reduce((sum, n) => sum + n, 0);
    const area = element("div", { class: "area", tabindex: "0", role: "group", "aria-roledescription": "density plot", "aria-label": title + ", " + dpss.plural(total, "cell") + ". The arrow keys go through the places with the most cells." }, canvas, tip, said);
    const box = element("div", { class: "plot" }, area);
    const remain = element("p", { class: "remain", role: "status" });
    const limits = [limit(plot, 0, changed), limit(plot, 1, changed)];
    const reset = element("button", { type: "button", class: "quiet", onclick: () => limits.forEach((one) => one.release()) }, "Keep all cells");
    box.append(...limits.map((one) => one.handle));
    const whole = element("div", { class: "chart" }, chart.legend(plot, "orange"), box, element("div", { class: "limits" }, remain, reset));
    let at = null;
    let marked = -1;

    new ResizeObserver(paint).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
    area.addEventListener("pointermove", point);
    area.addEventListener("pointerdown", point);
    area.addEventListener("pointerleave", () => mark(-1, false));
    area.addEventListener("keydown", function (event) {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") mark(-1, false);
      if (!step) return;
      event.preventDefault();
      mark(Math.max(0, Math.min(marks.length - 1, marked + step)), true);
    });
    changed();
    return whole;

    function changed() {
      const { x, y, n } = plot.grid;
      const [keepX, keepY] = limits.map((one) => one.keeps);
      let left = 0;
      for (let i = 0; i < n.length; i += 1) if (keepX(x[i]) && keepY(y[i])) left += n[i];
      remain.replaceChildren(element("strong", {}, number(left) + " of " + dpss.plural(total, "cell")), " (" + percent((100 * left) / total) + ") remain: " + limits.map((one) => one.text()).join(" and ") + ".");
      if (at) paint();
    }

    function paint() {
      if (!box.clientWidth) return;
      const pen = chart.penOf(canvas, box);
      at = chart.frame(plot, box.clientWidth, box.clientHeight);
      chart.drawAxes(pen, plot, at, box);
      for (const one of marks) {
        pen.fillStyle = chart.colour(one.role);
        if (one.n) {
          // Whole pixels: no seam between neighbours.
          const [left, right, top, bottom] = [at.fx(one.x[0]), at.fx(one.x[1]), at.fy(one.y[1]), at.fy(one.y[0])].map(Math.round);
          pen.fillRect(left, top, Math.max(1, right - left), Math.max(1, bottom - top));
        } else {
          pen.beginPath();
          pen.arc(at.fx(one.x[0]), at.fy(one.y[0]), 2.2, 0, 2 * Math.PI);
          pen.fill();
        }
      }
      chart.drawGuides(pen, plot, at, "orange");
      // Cells beyond the limits are covered.
      pen.fillStyle = chart.colour("background");
      pen.globalAlpha = 0.65;
      const [x, y] = limits.map((one) => one.pixel(at));
      pen.fillRect(at.left + 1, at.top, Math.max(0, x - at.left - 1), at.bottom - at.top);
      const upper = plot.keep[1] === "at most";
      const [from, to] = upper ? [at.top, y] : [y, at.bottom];
      pen.fillRect(Math.max(x, at.left + 1), from, at.right - Math.max(x, at.left + 1), Math.max(0, to - from));
      pen.globalAlpha = 1;
      limits.forEach((one) => one.show(at));
      if (marked >= 0) {
        pen.strokeStyle = chart.colour("orange");
        pen.lineWidth = 2;
        const [mx, my] = middle(marks[marked]);
        pen.strokeRect(mx - 6, my - 6, 12, 12);
      }
    }

    function middle(one) {
      return [at.fx((one.x[0] + one.x[1]) / 2), at.fy((one.y[0] + one.y[1]) / 2)];
    }

    /** Mark the bin under the pointer, or the nearest dot. */
    function point(event) {
      const frame = box.getBoundingClientRect();
      const x = event.clientX - frame.left - box.clientLeft;
      const y = event.clientY - frame.top - box.clientTop;
      let best = -1;
      let least = 12 ** 2;
      marks.forEach(function (one, i) {
        const [mx, my] = middle(one);
        const inside = one.n && x >= at.fx(one.x[0]) && x <= at.fx(one.x[1]) && y >= at.fy(one.y[1]) && y <= at.fy(one.y[0]);
        const distance = inside ? -1 : (mx - x) ** 2 + (my - y) ** 2;
        if (distance < least) [best, least] = [i, distance];
      });
      mark(best, false);
    }

    function mark(i, aloud) {
      if (i === marked) return;
      marked = i;
      paint();
      tip.hidden = i < 0;
      if (i < 0) return;
      const one = marks[i];
      const cells = one.n ? dpss.plural(one.n, "cell") : "one cell";
      const where = range(plot, 0, one.x) + ", " + range(plot, 1, one.y);
      tip.replaceChildren(element("strong", {}, cells), where);
      chart.showTip(tip, box, ...middle(one));
      if (aloud) said.textContent = cells + ": " + where;
    }
  }

  /** Return bins, those with the most cells first, then dots from left to right: the order of the arrow keys. */
  function marksOf(plot) {
    const { bins, dots } = plot;
    const [x, y] = [chart.fractions(plot.x), chart.fractions(plot.y)];
    const found = bins.n.map(function (n, i) {
      const shade = bins.steps.filter((step) => step <= n).length - 1;
      return { n, role: bins.shades[shade], x: bins.x[i].map((v) => v / 1e4), y: bins.y[i].map((v) => v / 1e4) };
    });
    found.sort((a, b) => b.n - a.n);
    const alone = dots.x.map((value, i) => ({ n: 0, role: "blue", x: [x.of(value), x.of(value)], y: [y.of(dots.y[i]), y.of(dots.y[i])] }));
    alone.sort((a, b) => a.x[0] - b.x[0]);
    return [...found, ...alone];
  }

  function written(plot, side, value) {
    if (plot.units[side] === "%") return percent(value);
    return number(plot.whole ? Math.ceil(value - 1e-9) : value);
  }

  function range(plot, side, [low, high]) {
    const axis = chart.fractions(side ? plot.y : plot.x);
    const unit = plot.units[side] === "%" ? "" : " " + plot.units[side];
    // The position of a dot is known to within a fine bin only.
    if (low === high) return "about " + (unit ? number(Number(axis.at(low).toPrecision(2))) : percent(Number(axis.at(low).toPrecision(2)))) + unit;
    const ends = [axis.at(low), axis.at(high)].map((value) => written(plot, side, value));
    return (ends[0] === ends[1] ? ends[0] : ends.join(" to ")) + unit;
  }

  /** Return a limit on one measure: a line that is dragged or moved by keys, and snaps to the edges of fine bins. */
  function limit(plot, side, changed) {
    const edges = side ? plot.grid.y_edges : plot.grid.x_edges;
    const axis = side ? plot.y : plot.x;
    const least = plot.keep[side] === "at least";
    const free = least ? 0 : edges.length - 1;
    const unit = plot.units[side] === "%" ? "" : " " + plot.units[side];
    const upright = side === 0;
    const handle = element("div", { class: "handle " + (upright ? "upright" : "level"), role: "slider", tabindex: "0", "aria-label": unit ? (least ? "Fewest " : "Most ") + plot.units[side] + " of a kept cell" : (least ? "Lowest" : "Highest") + " mitochondrial percentage of a kept cell", "aria-orientation": upright ? "horizontal" : "vertical", "aria-valuemin": "0", "aria-valuemax": String(edges.length - 1) });
    let k = free;
    let at = null;
    // Of several suggested limits the one that keeps the most cells comes first.
    const suggested = plot.guides.filter((guide) => guide.along === (upright ? "x" : "y") && guide.kind === "limit");
    if (suggested.length) k = nearest(suggested.at(least ? 0 : -1).at);
    note();

    handle.addEventListener("keydown", function (event) {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      move(k + step);
    });
    handle.addEventListener("pointerdown", function (event) {
      handle.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      event.preventDefault();
    });
    handle.addEventListener("pointermove", function (event) {
      if (!handle.hasPointerCapture(event.pointerId) || !at) return;
      const frame = handle.parentElement.getBoundingClientRect();
      const value = upright ? at.valueX(event.clientX - frame.left) : at.valueY(event.clientY - frame.top);
      move(nearest(value));
    });

    function nearest(value) {
      let best = 0;
      edges.forEach(function (edge, i) {
        if (Math.abs(edge - value) < Math.abs(edges[best] - value)) best = i;
      });
      return best;
    }

    function move(to) {
      const now = Math.max(0, Math.min(edges.length - 1, to));
      if (now === k) return;
      k = now;
      note();
      changed();
    }

    function text() {
      if (k === free) return "any " + (unit ? "number of" + unit : "share");
      return plot.keep[side] + " " + written(plot, side, edges[k]) + unit;
    }

    function note() {
      handle.setAttribute("aria-valuenow", String(k));
      handle.setAttribute("aria-valuetext", text());
    }

    /** Return the position of the limit in pixels; one that keeps all cells is at the end of the axis. */
    function pixel(where) {
      if (k === free) return least ? (upright ? where.left : where.bottom) : upright ? where.right : where.top;
      const value = Math.max(axis.low, Math.min(axis.high, edges[k]));
      return upright ? where.x(value) : where.y(value);
    }

    function show(where) {
      at = where;
      const here = pixel(where);
      if (upright) {
        handle.style.left = here + "px";
        handle.style.top = where.top + "px";
        handle.style.height = where.bottom - where.top + "px";
      } else {
        handle.style.top = here + "px";
        handle.style.left = where.left + "px";
        handle.style.width = where.right - where.left + "px";
      }
    }

    return { handle, text, pixel, show, release: () => move(free), keeps: (bin) => (least ? bin >= k : bin < k) };
  }
})();
