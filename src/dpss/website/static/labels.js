/* Placement of labels beside their points, without overlaps; the same rule as figures/elements/labels.py. */
"use strict";

dpss.placeLabels = (function () {
  const MARKED_RADIUS = 3.2;
  const RADIUS = 1.5;
  const ANGLES = [0, 180, 30, 150, 60, 120, 90, 15, 45, 75, 105, 135, 165, 345, 330, 315, 300, 285, 270, 255, 240, 225, 210, 195];
  const DIRECTIONS = ANGLES.map((angle) => [Math.cos, Math.sin].map((part) => Math.round(part((angle * Math.PI) / 180) * 1e4) / 1e4));
  const DISTANCES = [5, 9, 14, 20, 27, 35, 44, 54, 66, 80];
  const NEAR = 9;
  const COST_OF_DIRECTION = 0.5;
  const COST_OF_HIDDEN = 4;
  const GAP = 1.5;
  const CELL = 2;
  const STEP = 1;

  /**
   * Find a place for each label; a label without a free one is left out.
   * @param {number[][]} points what is labelled, in order of choice: x and y from a corner of the area
   * @param {number[][]} sizes width and height of each label
   * @param {number[]} area width and height of the room
   * @param {number[][]} marked points that no label covers, and no line crosses if it can, the labelled ones among them
   * @param {number[][]} others points of which a label may hide a few
   * @returns {(?{x: number, y: number, far: boolean})[]} corner with the lowest x and y; far ones have a line
   */
  function placeLabels(points, sizes, area, marked, others) {
    const crowd = crowdOf(others, area);
    const dots = marked.map(([x, y]) => [x - MARKED_RADIUS, y - MARKED_RADIUS, x + MARKED_RADIUS, y + MARKED_RADIUS]);
    const [labels, lines] = [[], []];
    return points.map(function (point, i) {
      const [x, y] = point;
      const strange = dots.filter((box) => !(box[0] < x && box[1] < y && box[2] > x && box[3] > y));
      const free = candidates(point, sizes[i], area, [...labels, ...lines, ...dots], crowd);
      const first = (boxes) => free.find((place) => !place.far || !lineOf(point, place, sizes[i]).some((part) => meets(part, boxes)));
      const place = first([...labels, ...lines, ...strange]) || first(labels); // Better a line across others than no label.
      if (!place) return null;
      labels.push([place.x, place.y, place.x + sizes[i][0], place.y + sizes[i][1]]);
      if (place.far) lines.push(...lineOf(point, place, sizes[i]));
      return { x: place.x, y: place.y, far: place.far };
    });
  }

  /** The free places around a point, the cheapest first, whatever their lines cross. */
  function candidates([x, y], [wide, high], area, taken, crowd) {
    const free = [];
    DISTANCES.forEach(function (distance, step) {
      DIRECTIONS.forEach(function ([across, up], way) {
        const left = x + across * distance + ((across - 1) * wide) / 2;
        const low = y + up * distance + ((up - 1) * high) / 2;
        const box = [left - GAP, low - GAP, left + wide + GAP, low + high + GAP];
        if (box[0] < 0 || box[1] < 0 || box[2] > area[0] || box[3] > area[1]) return;
        const hidden = crowd.within([left, low, left + wide, low + high]);
        if (hidden > crowd.mostHidden || meets(box, taken)) return;
        free.push({ x: left, y: low, far: distance > NEAR, n: step * DIRECTIONS.length + way, cost: distance + way * COST_OF_DIRECTION + hidden * COST_OF_HIDDEN });
      });
    });
    return free.sort((a, b) => a.cost - b.cost || a.n - b.n);
  }

  /** Where the line to a point starts, on the label's edge. */
  function nearest([x, y], place, [wide, high]) {
    return [Math.min(Math.max(x, place.x), place.x + wide), Math.min(Math.max(y, place.y), place.y + high)];
  }

  /** Small boxes along the line from a label to its point. */
  function lineOf([x, y], place, size) {
    const [endX, endY] = nearest([x, y], place, size);
    const n = Math.floor(Math.max(Math.abs(endX - x), Math.abs(endY - y)) / STEP) + 1;
    return Array.from({ length: n }, function (_, i) {
      const part = (i + 0.5) / n;
      const [across, up] = [x + (endX - x) * part, y + (endY - y) * part];
      return [across - 0.5, up - 0.5, across + 0.5, up + 0.5];
    });
  }

  function meets(a, boxes) {
    return boxes.some((b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]);
  }

  /** Return a counter of the points in a rectangle, by a summed-area table of small squares. */
  function crowdOf(points, area) {
    const [nX, nY] = area.map((size) => Math.floor(size / CELL) + 1);
    const sums = new Int32Array((nX + 1) * (nY + 1));
    const at = (x, y) => x * (nY + 1) + y;
    const clip = (n, end) => Math.min(Math.max(n, 0), end);
    const square = (value) => Math.floor(value / CELL);
    for (const [x, y] of points) sums[at(clip(square(x), nX - 1) + 1, clip(square(y), nY - 1) + 1)] += 1;
    for (let x = 1; x <= nX; x += 1) {
      for (let y = 1; y <= nY; y += 1) sums[at(x, y)] += sums[at(x - 1, y)] + sums[at(x, y - 1)] - sums[at(x - 1, y - 1)];
    }
    function within([left, low, right, high]) {
      const [x0, y0] = [clip(square(left - RADIUS), nX), clip(square(low - RADIUS), nY)];
      const [x1, y1] = [clip(square(right + RADIUS) + 1, nX), clip(square(high + RADIUS) + 1, nY)];
      return sums[at(x1, y1)] - sums[at(x0, y1)] - sums[at(x1, y0)] + sums[at(x0, y0)];
    }
    return { mostHidden: Math.max(2, points.length / 2000), within };
  }

  return Object.assign(placeLabels, { nearest });
})();
