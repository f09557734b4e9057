import type { DownlinkMessage } from './downlink-session.ts';

/** How a client wants what is retained when it subscribes (MQTT 5, 3.8.3.1): always, with a new subscription, never. */
export const RETAIN_HANDLING = { ALWAYS: 0, IF_NEW: 1, NEVER: 2 } as const;

/**
 * What is retained for a device: a state, of which the newest version makes all others obsolete. Nobody keeps it here. It comes from
 * DOWNLINK when it changes and from the tables whenever the device subscribes or is back; while the tables are read a newer one
 * waits, so that the device never hears an older version behind a newer one.
 */
export class RetainedState {
  /** The newest version that this connection was given, or an earlier one that the device has acknowledged. */
  #given = 0;
  #acknowledged: number;
  #reading = false;
  #waiting: DownlinkMessage | undefined;
  /** What of the tables is to be told: what the device does not have, whatever there is, or nothing. */
  #wanted: 'newer' | 'anything' | 'nothing' = 'newer';

  constructor(acknowledged = 0) {
    this.#acknowledged = acknowledged;
  }

  /** The newest version that the device has; 0 for none. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  acknowledge(version: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, version);
  }

  /** Another connection begins, on which these versions are on their way again. */
  reset(versions: readonly number[]): void {
    this.#given = Math.max(this.#acknowledged, ...versions);
    this.#reading = false;
    this.#waiting = undefined;
    this.#wanted = 'newer';
  }

  /** The device subscribed to it. The tables are to be read then. */
  subscribed(handling: number, isNew: boolean): void {
    if (handling === RETAIN_HANDLING.ALWAYS || (handling === RETAIN_HANDLING.IF_NEW && isNew))
      this.#wanted = 'anything';
    else if (isNew && this.#wanted === 'newer') this.#wanted = 'nothing';
  }

  /** The tables are about to be read. */
  begin(): void {
    this.#reading = true;
  }

  /** It changes: whether that is to be told now, was already, or waits until the tables are read. */
  change(message: DownlinkMessage): 'now' | 'known' | 'waits' {
    if (versionOf(message) <= this.#given) return 'known';
    if (!this.#reading) return 'now';
    if (versionOf(message) > versionOf(this.#waiting)) this.#waiting = message;
    return 'waits';
  }

  /** What is to be told now that the tables are read; undefined for nothing. */
  finish(tabled: DownlinkMessage | undefined): DownlinkMessage | undefined {
    const [wanted, waiting] = [this.#wanted, this.#waiting];
    this.#reading = false;
    this.#waiting = undefined;
    this.#wanted = 'newer';
    if (wanted === 'nothing') this.given(tabled);
    const newest = versionOf(waiting) > versionOf(tabled) ? waiting : tabled;
    if (!newest) return undefined;
    if (wanted === 'anything') return { ...newest, stored: true };
    return versionOf(newest) > this.#given ? newest : undefined;
  }

  /** A version is on its way to the device, or passes it by. */
  given(message: DownlinkMessage | undefined): void {
    this.#given = Math.max(this.#given, versionOf(message));
  }
}

const versionOf = (message: DownlinkMessage | undefined): number => message?.version ?? 0;
