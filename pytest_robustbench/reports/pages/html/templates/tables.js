"use strict";
// Sorting and filtering; without this script every table is there, whole and in the report's order.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    const number = text === "" ? NaN : Number(text);
    return { text, number };
  };
  const compare = (column, sign) => (one, other) => {
    const [a, b] = [valueOf(one, column), valueOf(other, column)];
    const [isA, isB] = [!Number.isNaN(a.number), !Number.isNaN(b.number)];
    if (isA && isB) return sign * (a.number - b.number);
    if (isA !== isB) return isA ? -1 : 1; // what has no number stands last
    if ((a.text === "") !== (b.text === "")) return a.text === "" ? 1 : -1;
    return sign * a.text.localeCompare(b.text, "en", { numeric: true });
  };
  Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      body.append(...rows.slice().sort(compare(column, ascending ? 1 : -1)));
    });
  });
  const filter = table.closest("section, article, body").querySelector("[data-filters='" + table.id + "']");
  if (!filter) continue;
  const shown = filter.querySelector("output");
  const inputs = Array.from(filter.querySelectorAll("input, select"));
  const apply = () => {
    const words = filter.querySelector("input").value.toLowerCase().split(/\s+/);
    const verdict = filter.querySelector("select")?.value ?? "";
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const isJudgedSo = verdict === "" || row.dataset.verdict === verdict;
      row.hidden = !isJudgedSo || !words.every((word) => text.includes(word));
      count += row.hidden ? 0 : 1;
    }
    shown.textContent = count + " of " + rows.length + " rows";
  };
  for (const input of inputs) input.addEventListener("input", apply);
  filter.hidden = false;
  apply();
}
