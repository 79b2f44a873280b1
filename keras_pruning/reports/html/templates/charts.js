"use strict";
// Draws the charts of the page over their static pictures.
for (const figure of document.querySelectorAll("figure.chart")) {
  const drawing = figure.querySelector(".drawing");
  const picture = figure.querySelector(".static");
  const place = document.createElement("div");
  drawing.append(place);
  const spec = JSON.parse(figure.querySelector("script.spec").textContent);
  vegaEmbed(place, spec, {
    mode: "vega-lite",
    renderer: "svg",
    actions: false,
    // The page allows no code from texts, so expressions are interpreted.
    ast: true,
    bind: figure.querySelector(".controls"),
  }).then(
    () => picture.remove(),
    (error) => {
      place.remove();
      console.error(error);
    },
  );
}
