"use strict";
(() => {
  const table = document.getElementById("samples");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row, order) => ({
    row,
    order,
    operator: row.dataset.operator,
    dropped: row.dataset.verdict === "dropped",
    text: row.textContent.toLowerCase(),
    keys: Array.from(row.cells, (cell) => cell.textContent.trim().toLowerCase()),
  }));
  const search = document.getElementById("search");
  const operator = document.getElementById("operator");
  const found = document.getElementById("found");
  const pageText = document.getElementById("page");
  const back = document.getElementById("back");
  const next = document.getElementById("next");
  const tabs = Array.from(document.querySelectorAll("[data-show]"));
  const heads = Array.from(table.querySelectorAll("th button"));
  const PAGE = 15;
  const state = { show: "all", operator: "", column: -1, up: true, page: 0 };

  function chosen() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const list = rows.filter((item) =>
      (state.show === "all" || item.dropped === (state.show === "dropped")) &&
      (!state.operator || item.operator === state.operator) &&
      words.every((word) => item.text.includes(word)));
    if (state.column < 0) return list;
    const sign = state.up ? 1 : -1;
    const of = (item) => item.keys[state.column];
    return list.sort((a, b) => sign * of(a).localeCompare(of(b), undefined, { numeric: true }) || a.order - b.order);
  }

  function draw() {
    const list = chosen();
    const pages = Math.max(1, Math.ceil(list.length / PAGE));
    state.page = Math.min(Math.max(0, state.page), pages - 1);
    const start = state.page * PAGE;
    body.replaceChildren(...list.slice(start, start + PAGE).map((item) => item.row));
    const whole = list.length === rows.length ? "" : ` of ${rows.length}`;
    found.textContent = `${list.length}${whole} ${rows.length === 1 ? "row" : "rows"}`;
    pageText.textContent = `page ${state.page + 1} of ${pages}`;
    back.disabled = state.page === 0;
    next.disabled = state.page >= pages - 1;
    tabs.forEach((tab) => tab.setAttribute("aria-pressed", String(tab.dataset.show === state.show)));
    heads.forEach((head, column) => {
      const way = column !== state.column ? "none" : state.up ? "ascending" : "descending";
      head.closest("th").setAttribute("aria-sort", way);
    });
  }

  function change(values) {
    Object.assign(state, { page: 0 }, values);
    draw();
  }

  search.addEventListener("input", () => change({}));
  if (operator) operator.addEventListener("change", () => change({ operator: operator.value }));
  tabs.forEach((tab) => tab.addEventListener("click", () => change({ show: tab.dataset.show })));
  heads.forEach((head, column) => head.addEventListener("click", () =>
    change({ column, up: state.column === column ? !state.up : true })));
  back.addEventListener("click", () => change({ page: state.page - 1 }));
  next.addEventListener("click", () => change({ page: state.page + 1 }));
  document.querySelectorAll("[data-needs-script]").forEach((part) => { part.hidden = false; });
  draw();
})();
