"use strict";
// Filters and sorts the galleries of the page. Without scripts everything is shown.
for (const gallery of document.querySelectorAll(".gallery:has(.choices)")) {
  const form = gallery.querySelector(".choices");
  const { class: byClass, score, order } = form.elements;
  const lists = [...gallery.querySelectorAll(".entries")].map((list) => [list, [...list.children]]);
  const show = () => {
    for (const part of gallery.querySelectorAll("[data-class]"))
      part.hidden = byClass.value !== "" && part.dataset.class !== byClass.value;
    for (const group of gallery.querySelectorAll("[data-score]"))
      group.hidden = group.dataset.score !== score.value;
    const rank = (entry) => Number(entry.dataset.ranks.split(" ")[score.selectedIndex]);
    for (const [list, entries] of lists)
      list.append(...[...entries].sort((a, b) => Number(order.value) * (rank(a) - rank(b))));
    const shown = lists.filter(([list]) => list.closest("[hidden]") === null);
    const count = shown.reduce((sum, [, entries]) => sum + entries.length, 0);
    form.querySelector("output").value = `${count} entries shown`;
  };
  form.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();
}
