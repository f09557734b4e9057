import { map as createMap, type Map as LeafletMap, latLngBounds, tileLayer } from 'leaflet';
import 'leaflet/dist/leaflet.css';
import { useEffect, useEffectEvent, useRef } from 'react';
import { useIsDark } from '../../ui/theme.ts';
import { Graticule } from './graticule.ts';
import type { Pin } from './map-documents.ts';
import { PinsLayer, toLatLng } from './pins-layer.ts';

type DeviceMapProps = {
  pins: readonly Pin[];
  tilesUrl: string | undefined;
  attribution: string;
  /** The devices of the mark that was chosen. */
  onChoose: (pins: readonly Pin[]) => void;
};

type Drawn = { readonly map: LeafletMap; readonly pins: PinsLayer; readonly lines: Graticule };

/** Devices on the earth. Begins with all of them in view; without tiles there are lines of latitude and longitude. */
export function DeviceMap({ pins, tilesUrl, attribution, onChoose }: DeviceMapProps) {
  const host = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn>(undefined);
  const dark = useIsDark();
  const choose = useEffectEvent(onChoose);

  useEffect(() => {
    if (!host.current) return;
    const map = createMap(host.current, { worldCopyJump: true, minZoom: 2, maxZoom: 19, zoomSnap: 0.5 });
    map.attributionControl.setPrefix(false);
    map.setView([20, 0], 2);
    const layer = new PinsLayer((chosen) => choose(chosen));
    const lines = new Graticule();
    if (tilesUrl === undefined) lines.addTo(map);
    else tileLayer(tilesUrl, { attribution: escapeText(attribution), maxZoom: 19 }).addTo(map);
    layer.addTo(map);
    drawn.current = { map, pins: layer, lines };
    const resized = new ResizeObserver(() => map.invalidateSize());
    resized.observe(host.current);
    return () => {
      resized.disconnect();
      map.remove();
      drawn.current = undefined;
    };
  }, [tilesUrl, attribution]);

  useEffect(() => {
    if (!drawn.current) return;
    const { map, pins: layer } = drawn.current;
    layer.show(pins);
    if (pins.length > 0)
      map.fitBounds(latLngBounds(pins.map(toLatLng)).pad(0.15), { maxZoom: 13, animate: false });
  }, [pins]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a canvas does not follow the theme by itself
  useEffect(() => {
    drawn.current?.pins.draw();
    drawn.current?.lines.draw();
  }, [dark]);

  return (
    <section aria-label="Map" className="relative min-h-64 min-w-0 flex-1">
      <div ref={host} className="absolute inset-0 isolate bg-sunken!" />
    </section>
  );
}

/** Leaflet takes an attribution for HTML. */
function escapeText(text: string): string {
  const holder = document.createElement('span');
  holder.textContent = text;
  return holder.innerHTML;
}
