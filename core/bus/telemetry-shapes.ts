let lastNames: readonly string[] = [];
let lastShape = '';

/** The names of the metrics of a reading, joined by commas, as EVENTS tells them. A fleet sends the same ones over and over: the last are remembered. */
export function shapeOf(metrics: Readonly<Record<string, unknown>>): string {
  let place = 0;
  for (const name in metrics) {
    if (name !== lastNames[place]) return rememberShape(metrics);
    place++;
  }
  return place === lastNames.length ? lastShape : rememberShape(metrics);
}

function rememberShape(metrics: Readonly<Record<string, unknown>>): string {
  lastNames = Object.keys(metrics);
  lastShape = lastNames.join();
  return lastShape;
}
