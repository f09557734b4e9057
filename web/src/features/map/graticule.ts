import { Layer, type Map as LeafletMap } from 'leaflet';

/** Degrees between two lines, the coarsest first. */
const steps = [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
const minGapPx = 90;

/** The widest step whose lines are at least `minGapPx` apart, given how many pixels a degree takes. */
export function stepFor(pixelsPerDegree: number): number {
  return steps.findLast((step) => step * pixelsPerDegree >= minGapPx) ?? 30;
}

/** `12.5° N`, with as many digits as the step needs. */
export function degrees(value: number, step: number, positive: string, negative: string): string {
  const digits = Math.max(0, Math.ceil(-Math.log10(step)));
  const side = Math.abs(value) < step / 2 ? '' : ` ${value > 0 ? positive : negative}`;
  return `${Math.abs(value).toFixed(digits)}°${side}`;
}

/** Lines of latitude and longitude: where one is, on a map without a picture behind it. */
export class Graticule extends Layer {
  readonly #canvas = document.createElement('canvas');
  #map: LeafletMap | undefined;

  constructor() {
    super();
    this.#canvas.style.position = 'absolute';
    this.#canvas.style.pointerEvents = 'none';
    this.#canvas.setAttribute('aria-hidden', 'true');
  }

  override onAdd(map: LeafletMap): this {
    this.#map = map;
    map.getPane('tilePane')?.append(this.#canvas);
    map.on('move zoomend resize viewreset', this.draw, this);
    this.draw();
    return this;
  }

  override onRemove(map: LeafletMap): this {
    map.off('move zoomend resize viewreset', this.draw, this);
    this.#canvas.remove();
    this.#map = undefined;
    return this;
  }

  draw(): void {
    const map = this.#map;
    const context = this.#canvas.getContext('2d');
    if (!map || !context) return;
    const { x: width, y: height } = map.getSize();
    const ratio = window.devicePixelRatio;
    this.#canvas.width = width * ratio;
    this.#canvas.height = height * ratio;
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    const corner = map.containerPointToLayerPoint([0, 0]);
    this.#canvas.style.transform = `translate3d(${corner.x}px, ${corner.y}px, 0)`;
    context.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    context.strokeStyle = style.getPropertyValue('--line-strong');
    context.fillStyle = style.getPropertyValue('--ink-3');
    context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    context.globalAlpha = 0.8;
    const bounds = map.getBounds();
    const east = map.latLngToContainerPoint([0, 1]).x - map.latLngToContainerPoint([0, 0]).x;
    const step = stepFor(east);
    context.beginPath();
    for (let at = Math.ceil(bounds.getWest() / step); at * step <= bounds.getEast(); at++) {
      const { x } = map.latLngToContainerPoint([0, at * step]);
      context.moveTo(x, 0);
      context.lineTo(x, height);
      context.fillText(degrees(wrapped(at * step), step, 'E', 'W'), x + 4, height - 6);
    }
    const north = Math.min(85, bounds.getNorth());
    for (let at = Math.ceil(Math.max(-85, bounds.getSouth()) / step); at * step <= north; at++) {
      const { y } = map.latLngToContainerPoint([at * step, 0]);
      context.moveTo(0, y);
      context.lineTo(width, y);
      context.fillText(degrees(at * step, step, 'N', 'S'), 50, y - 4);
    }
    context.globalAlpha = 0.35;
    context.stroke();
  }
}

/** A longitude within ±180, however often the world was gone around. */
const wrapped = (longitude: number): number => ((((longitude + 180) % 360) + 360) % 360) - 180;
