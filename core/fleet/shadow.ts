import { documentProblem, type JsonObject, type JsonValue } from './json-documents.ts';
import { isObject, type Problem, parsePayload, problemPart, type TelemetryLimits } from './telemetry.ts';

/** The longest desired document, as JSON in UTF-8. */
export const MAX_DESIRED_BYTES = 32 * 1024;

/** What a device should be and what it says it is, with the versions of both. */
export interface ShadowState {
  readonly desired: JsonObject;
  readonly desiredVersion: number;
  readonly reported: JsonObject;
  readonly reportedVersion: number;
  /** The newest desired version that the device has answered; 0 for none. */
  readonly answeredVersion: number;
}

/**
 * - `NEVER_REPORTED`: the device has said nothing yet.
 * - `IN_SYNC`: everything that is desired is reported.
 * - `PENDING`: something is not, and the device has not answered the newest version.
 * - `DIVERGED`: something is not, although it has.
 */
export const SHADOW_STATUSES = ['IN_SYNC', 'PENDING', 'DIVERGED', 'NEVER_REPORTED'] as const;
export type ShadowStatus = (typeof SHADOW_STATUSES)[number];

export function shadowStatus(state: ShadowState): ShadowStatus {
  if (state.reportedVersion === 0) return 'NEVER_REPORTED';
  if (Object.keys(shadowDelta(state.desired, state.reported)).length === 0) return 'IN_SYNC';
  return state.answeredVersion < state.desiredVersion ? 'PENDING' : 'DIVERGED';
}

/**
 * What of `desired` is not reported so: its values, under their keys, objects compared key by key and lists as a whole. What
 * is reported and not desired does not matter.
 */
export function shadowDelta(desired: JsonObject, reported: JsonObject): JsonObject {
  const entries = Object.entries(desired).flatMap(([key, wanted]): [string, JsonValue][] => {
    const present = Object.hasOwn(reported, key) ? reported[key] : undefined;
    if (isDocument(wanted) && isDocument(present)) {
      const inner = shadowDelta(wanted, present);
      return Object.keys(inner).length === 0 ? [] : [[key, inner]];
    }
    return isSame(wanted, present) ? [] : [[key, wanted]];
  });
  return Object.fromEntries(entries);
}

/** Whether two values are the same; the order of keys does not matter. */
export function isSame(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((entry, index) => isSame(entry, b[index]));
  if (!isDocument(a) || !isDocument(b)) return a === b;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]))
  );
}

/** The target after a JSON merge patch (RFC 7396): null takes a key away, objects are merged, anything else replaces. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else if (isDocument(value)) {
      const present = merged.get(key);
      merged.set(key, mergePatch(isDocument(present) ? present : {}, value));
    } else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** What a device should be, as it is told. */
export interface DesiredState {
  readonly desired: JsonObject;
  readonly version: number;
  /** When this version was made, in ms since the epoch. */
  readonly at: number;
}

/** The message on `shadow/desired`. */
export function desiredMessage({ desired, version, at }: DesiredState): Buffer {
  return Buffer.from(JSON.stringify({ desired, version, timestamp: new Date(at).toISOString() }));
}

/** What a device says on `shadow/reported`. */
export interface ShadowReport {
  /** All that it is: it replaces what was reported before. */
  readonly reported: JsonObject;
  /** The desired version that it answers; 0 for none. */
  readonly answers: number;
}

const MAX_VERSION = 2 ** 31 - 1;

/** Reads `{"reported":{…},"version"?}`. Never throws. */
export function readShadowReport(
  payload: Uint8Array,
  limits: Pick<TelemetryLimits, 'maxMessageBytes'>,
): { readonly report: ShadowReport } | { readonly problem: Problem } {
  const parsed = parsePayload(payload, limits);
  if ('problem' in parsed) return parsed;
  const { value } = parsed;
  if (!isObject(value)) return problemPart('BAD_SHAPE', 'a report is a JSON object');
  const { reported, version } = value;
  if (!isObject(reported)) return problemPart('BAD_SHAPE', 'reported is an object', 'reported');
  const answers = version ?? 0;
  if (typeof answers !== 'number' || !Number.isInteger(answers) || answers < 0 || answers > MAX_VERSION)
    return problemPart('BAD_SHAPE', 'version is the desired version that is answered', 'version');
  const wrong = documentProblem(reported);
  if (wrong) return problemPart('BAD_VALUE', wrong.detail, `reported${wrong.at}`);
  return { report: { reported: reported as JsonObject, answers } };
}

/** A place on the stream of reports, by which the newer of two is told. */
export interface ReportPlace {
  /** When JetStream stored it, in ms since the epoch. */
  readonly streamedAt: number;
  readonly sequence: number;
}

/** The reported side of a shadow, and where its last report lay. */
export interface ReportedSide extends Omit<ShadowState, 'desired'> {
  readonly place: ReportPlace | undefined;
}

/**
 * What a report does. `applied`: a new version. `unchanged`: it says what is known. `late`: a newer one was there before, so that only
 * the version it answers counts.
 */
export type ReportOutcome = 'applied' | 'unchanged' | 'late';

/** The side behind a report. Reports that lie at one place are taken in their order. */
export function applyReport(
  side: ReportedSide,
  { reported, answers }: ShadowReport,
  place: ReportPlace,
): { readonly outcome: ReportOutcome; readonly side: ReportedSide } {
  const answeredVersion = Math.max(side.answeredVersion, Math.min(answers, side.desiredVersion));
  if (side.place && isBefore(place, side.place))
    return { outcome: 'late', side: { ...side, answeredVersion } };
  const next = { ...side, answeredVersion, reported, place };
  if (side.reportedVersion > 0 && answeredVersion === side.answeredVersion && isSame(reported, side.reported))
    return { outcome: 'unchanged', side: next };
  return { outcome: 'applied', side: { ...next, reportedVersion: side.reportedVersion + 1 } };
}

const isBefore = (a: ReportPlace, b: ReportPlace): boolean =>
  a.streamedAt !== b.streamedAt ? a.streamedAt < b.streamedAt : a.sequence < b.sequence;

const isDocument = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
