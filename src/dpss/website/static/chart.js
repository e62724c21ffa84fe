/* Common parts of the interactive plots: axes, guide lines and legend, drawn from a specification. */
"use strict";

dpss.chart = (function () {
  const { element } = dpss;
  const FORWARD = { linear: (v) => v, root: (v) => Math.sqrt(Math.max(v, 0)), asinh: Math.asinh, log: Math.log10 };
  const INVERSE = { linear: (v) => v, root: (v) => v * v, asinh: Math.sinh, log: (v) => 10 ** v };
  const MARGIN = { left: 68, right: 16, top: 14, bottom: 50 };

  /** Return functions from an axis's values to fractions of its length, and back. */
  function fractions(axis) {
    const forward = FORWARD[axis.scale];
    const low = forward(axis.low);
    const span = forward(axis.high) - low;
    return {
      of: (value) => (forward(value) - low) / span,
      at: (fraction) => INVERSE[axis.scale](low + fraction * span),
    };
  }

  /** Return the axes' place in a box, with functions from values to pixels, and back. */
  function frame(what, width, height) {
    const [x, y] = [fractions(what.x), fractions(what.y)];
    const box = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
    return {
      ...box,
      fx: (fraction) => box.left + fraction * (box.right - box.left),
      fy: (fraction) => box.bottom - fraction * (box.bottom - box.top),
      x: (value) => box.left + x.of(value) * (box.right - box.left),
      y: (value) => box.bottom - y.of(value) * (box.bottom - box.top),
      valueX: (pixel) => x.at((pixel - box.left) / (box.right - box.left)),
      valueY: (pixel) => y.at((box.bottom - pixel) / (box.bottom - box.top)),
    };
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  /** Make a canvas as large as its box, and return its context, in CSS pixels. */
  function penOf(canvas, box) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = box.clientWidth * ratio;
    canvas.height = box.clientHeight * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    return pen;
  }

  /** Draw grid, ticks and titles; a copy of them as data is stored at the box, for tests. */
  function drawAxes(pen, what, at, box) {
    const written = { x: { ...what.x, ticks: [] }, y: { ...what.y, ticks: [] } };
    pen.font = "12px system-ui, sans-serif";
    pen.lineWidth = 1;
    let end = -Infinity;
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    for (const [value, text] of what.x.ticks) {
      const x = Math.round(at.x(value));
      pen.fillStyle = colour("grid");
      pen.fillRect(x, at.top, 1, at.bottom - at.top);
      const half = pen.measureText(text).width / 2;
      written.x.ticks.push([value, text]);
      if (x - half < end) continue;
      pen.fillStyle = colour("muted");
      pen.fillText(text, x, at.bottom + 18);
      end = x + half + 6;
    }
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const [value, text] of what.y.ticks) {
      const y = Math.round(at.y(value));
      pen.fillStyle = colour("grid");
      pen.fillRect(at.left, y, at.right - at.left, 1);
      pen.fillStyle = colour("muted");
      pen.fillText(text, at.left - 8, y);
      written.y.ticks.push([value, text]);
    }
    pen.fillStyle = colour("line");
    pen.fillRect(at.left, at.top, 1, at.bottom - at.top);
    pen.fillRect(at.left, at.bottom, at.right - at.left, 1);
    pen.fillStyle = colour("muted");
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    title(pen, what.x.title, (at.left + at.right) / 2, at.bottom + 40, at.right - 4);
    pen.save();
    pen.translate(14, (at.top + at.bottom) / 2);
    pen.rotate(-Math.PI / 2);
    title(pen, what.y.title, 0, 0, at.bottom - at.top + 40);
    pen.restore();
    box.dataset.drawn = JSON.stringify(written);
  }

  /** Write a title, smaller where it would not fit. */
  function title(pen, text, x, y, room) {
    pen.fillText(text, x, y, Math.max(room, 40));
  }

  /** Draw the guide lines: medians through, limits dashed. */
  function drawGuides(pen, what, at, limit) {
    for (const guide of what.guides) {
      const upright = guide.along === "x";
      const other = upright ? what.y : what.x;
      const place = upright ? at.y : at.x;
      const start = place(guide.start === null ? other.low : guide.start);
      const end = place(guide.end === null ? other.high : guide.end);
      const here = upright ? at.x(guide.at) : at.y(guide.at);
      pen.strokeStyle = colour(guide.kind === "median" ? "muted" : limit);
      pen.lineWidth = guide.kind === "median" ? 1 : 1.3;
      pen.setLineDash(guide.kind === "median" ? [] : [5, 4]);
      pen.beginPath();
      if (upright) {
        pen.moveTo(here, start);
        pen.lineTo(here, end);
      } else {
        pen.moveTo(start, here);
        pen.lineTo(end, here);
      }
      pen.stroke();
      pen.setLineDash([]);
    }
  }

  /** Return the legend as a list: marks, then the guide lines with a label. */
  function legend(what, limit, more) {
    const guides = what.guides.filter((guide) => guide.text).map((guide) => [guide.kind, guide.kind === "median" ? "muted" : limit, guide.text]);
    const entries = [...what.legend, ...guides, ...(more || [])];
    return element("ul", { class: "legend" }, ...entries.map(function ([mark, role, text]) {
      const made = element("li", { class: mark }, text);
      made.style.setProperty("--mark", "var(--" + role + ")");
      return made;
    }));
  }

  /** Place a tip beside a point of a box, on the side with more room. */
  function showTip(tip, box, x, y) {
    const left = x > box.clientWidth / 2;
    tip.style.left = left ? "" : x + 14 + "px";
    tip.style.right = left ? box.clientWidth - x + 14 + "px" : "";
    tip.style.top = Math.max(4, Math.min(y + 8, box.clientHeight - tip.offsetHeight - 8)) + "px";
  }

  return { fractions, frame, colour, penOf, drawAxes, drawGuides, legend, showTip };
})();
