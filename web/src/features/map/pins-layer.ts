import { type LatLngExpression, Layer, type Map as LeafletMap, type LeafletMouseEvent } from 'leaflet';
import { type Cluster, cluster, type Health, nearest, type Placed, sharesOf } from './clusters.ts';
import type { Pin } from './map-documents.ts';

const cellPx = 44;
const reachPx = 20;
const tokens: Record<Health, string> = {
  silent: '--bad',
  stale: '--warn',
  offline: '--idle',
  fine: '--good',
};

/** Draws devices on one canvas: ten thousand of them in one go. A state is told by shape as well as by colour. */
export class PinsLayer extends Layer {
  readonly #canvas = document.createElement('canvas');
  readonly #onChoose: (pins: readonly Pin[]) => void;
  #pins: readonly Pin[] = [];
  #clusters: readonly Cluster<Pin>[] = [];
  #map: LeafletMap | undefined;

  /** @param onChoose gets the devices of the mark that was clicked */
  constructor(onChoose: (pins: readonly Pin[]) => void) {
    super();
    this.#onChoose = onChoose;
    this.#canvas.style.position = 'absolute';
    this.#canvas.style.pointerEvents = 'none';
    this.#canvas.setAttribute('aria-hidden', 'true');
  }

  show(pins: readonly Pin[]): void {
    this.#pins = pins;
    this.draw();
  }

  override onAdd(map: LeafletMap): this {
    this.#map = map;
    map.getPane('overlayPane')?.append(this.#canvas);
    map.on('moveend zoomend resize viewreset', this.draw, this);
    map.on('click', this.#choose, this);
    map.on('mousemove', this.#point, this);
    map.on('zoomanim', this.#hide, this);
    this.draw();
    return this;
  }

  override onRemove(map: LeafletMap): this {
    map.off('moveend zoomend resize viewreset', this.draw, this);
    map.off('click', this.#choose, this);
    map.off('mousemove', this.#point, this);
    map.off('zoomanim', this.#hide, this);
    this.#canvas.remove();
    this.#map = undefined;
    return this;
  }

  /** Draws all marks anew, in the colours of the theme in force. */
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
    this.#canvas.style.visibility = '';
    const corner = map.containerPointToLayerPoint([0, 0]);
    this.#canvas.style.transform = `translate3d(${corner.x}px, ${corner.y}px, 0)`;
    context.scale(ratio, ratio);
    const placed: Placed<Pin>[] = [];
    for (const pin of this.#pins) {
      const { x, y } = map.latLngToContainerPoint(toLatLng(pin));
      if (x > -cellPx && y > -cellPx && x < width + cellPx && y < height + cellPx) placed.push({ x, y, pin });
    }
    this.#clusters = cluster(placed, cellPx, map.latLngToContainerPoint([0, 0]));
    const style = getComputedStyle(document.documentElement);
    for (const each of this.#clusters) drawMark(context, each, style);
  }

  #choose(event: LeafletMouseEvent): void {
    const found = nearest(this.#clusters, event.containerPoint, reachPx);
    if (found) this.#onChoose(found.pins);
  }

  #point(event: LeafletMouseEvent): void {
    const over = nearest(this.#clusters, event.containerPoint, reachPx) !== undefined;
    if (this.#map) this.#map.getContainer().style.cursor = over ? 'pointer' : '';
  }

  /** While the map zooms, the marks of the old scale would be in the wrong places. */
  #hide(): void {
    this.#canvas.style.visibility = 'hidden';
  }
}

export const toLatLng = ({ location: { latitude, longitude } }: Pin): LatLngExpression => [
  latitude,
  longitude,
];

function drawMark(
  context: CanvasRenderingContext2D,
  { x, y, pins }: Cluster<Pin>,
  style: CSSStyleDeclaration,
): void {
  const shares = sharesOf(pins);
  const colour = (state: Health) => style.getPropertyValue(tokens[state]);
  context.strokeStyle = style.getPropertyValue('--surface');
  context.lineWidth = 2;
  const [only] = shares;
  if (pins.length === 1 && only) {
    context.fillStyle = colour(only[0]);
    drawShape(context, only[0], x, y);
    return;
  }
  const radius = Math.min(20, 10 + Math.log10(pins.length) * 4);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = style.getPropertyValue('--surface');
  context.fill();
  let from = -Math.PI / 2;
  context.lineWidth = 4;
  for (const [state, count] of shares) {
    const to = from + (2 * Math.PI * count) / pins.length;
    context.beginPath();
    context.arc(x, y, radius, from, to);
    context.strokeStyle = colour(state);
    context.stroke();
    from = to;
  }
  context.fillStyle = style.getPropertyValue('--ink');
  context.font = `600 11px ${getComputedStyle(document.body).fontFamily}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(
    pins.length < 1_000 ? String(pins.length) : `${(pins.length / 1_000).toFixed(1)}k`,
    x,
    y + 0.5,
  );
}

/** The shapes of the status marks: a disc is fine, a ring offline, a triangle stale, a square silent. */
function drawShape(context: CanvasRenderingContext2D, state: Health, x: number, y: number): void {
  context.beginPath();
  switch (state) {
    case 'silent':
      context.rect(x - 6, y - 6, 12, 12);
      break;
    case 'stale':
      context.moveTo(x, y - 8);
      context.lineTo(x + 8, y + 6);
      context.lineTo(x - 8, y + 6);
      context.closePath();
      break;
    default:
      context.arc(x, y, 6.5, 0, 2 * Math.PI);
  }
  context.stroke();
  if (state === 'offline') {
    context.strokeStyle = context.fillStyle;
    context.lineWidth = 3;
    context.beginPath();
    context.arc(x, y, 5, 0, 2 * Math.PI);
    context.stroke();
  } else context.fill();
}
