"use strict";
// Shows one panel of a choice at a time. Without scripts, all panels show.
for (const choice of document.querySelectorAll(".choice")) {
  const panels = [...choice.querySelectorAll(":scope > .panel")];
  if (panels.length > 1) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    for (const panel of panels) select.add(new Option(panel.dataset.name));
    const show = () => {
      for (const [place, panel] of panels.entries()) panel.hidden = place !== select.selectedIndex;
    };
    select.addEventListener("change", show);
    label.append(`${choice.dataset.label} `, select);
    choice.prepend(label);
    show();
  }
}
