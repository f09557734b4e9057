import type { Position } from './cursor.ts';
import type { Entry } from './entry.ts';
import { deviceNames, type LiveFilter, type LiveKind } from './filter.ts';
import type { QueuedEvent } from './queue.ts';

/** Who is served by a feed. */
export interface Follower {
  readonly tenantId: number;
  readonly kind: LiveKind;
  readonly filter: LiveFilter;
  /** False when the event cannot be taken: the follower is let go of, and must come back to the place before it. */
  offer(item: QueuedEvent): boolean;
  /** The feed serves it no longer; everything up to the position was offered. */
  released(position: Position, why: 'full' | 'lost'): void;
}

/** Devices whose followers are remembered. */
const REMEMBERED_DEVICES = 100_000;

/** The followers of one tenant's events of one kind. */
export class Audience {
  /** Followers of anything but a list of devices. */
  readonly #broad = new Set<Follower>();
  /** By id or key. */
  readonly #byDevice = new Map<number | string, Set<Follower>>();
  /** By id, since somebody came or went last: most events are nobody's, and the key of a device, which never changes, is read once. */
  #known = new Map<number, readonly Follower[]>();

  get isEmpty(): boolean {
    return this.#broad.size === 0 && this.#byDevice.size === 0;
  }

  add(follower: Follower): void {
    this.#known = new Map();
    const devices = deviceNames(follower.filter);
    if (!devices) this.#broad.add(follower);
    for (const device of devices ?? []) {
      const followers = this.#byDevice.get(device) ?? new Set();
      this.#byDevice.set(device, followers.add(follower));
    }
  }

  remove(follower: Follower): void {
    this.#known = new Map();
    this.#broad.delete(follower);
    for (const device of deviceNames(follower.filter) ?? []) {
      const followers = this.#byDevice.get(device);
      followers?.delete(follower);
      if (followers?.size === 0) this.#byDevice.delete(device);
    }
  }

  /** Who follows the device that an event is about. */
  of(entry: Entry, index: number): readonly Follower[] {
    const id = entry.deviceIdOf(index);
    const known = this.#known.get(id);
    if (known) return known;
    const byId = this.#byDevice.get(id) ?? [];
    const byKey = this.#byDevice.get(entry.deviceOf(index)) ?? [];
    const followers = [...this.#broad, ...byId, ...byKey];
    if (this.#known.size >= REMEMBERED_DEVICES) this.#known.clear();
    if (id >= 0) this.#known.set(id, followers.length > 0 ? followers : NOBODY);
    return followers;
  }
}

const NOBODY: readonly Follower[] = [];
