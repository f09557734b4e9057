import { withoutProvisionToken } from './provision-token.ts';
import { isObject } from './telemetry.ts';

/** One step of a JSON Patch (RFC 6902): `add`, `remove`, `replace` or `move`; paths are JSON pointers (RFC 6901). */
export type PatchStep =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move'; readonly from: string; readonly path: string };

/** How a payload that was turned away is made right: put another in its place, or change what it says. */
export type PayloadFix =
  | { readonly payload: Uint8Array }
  | {
      /** Takes out what the fault is in, before the steps. */
      readonly removeField: boolean;
      readonly steps: readonly PatchStep[];
    };

/** What a fix is for. */
export interface Faulty {
  readonly payload: Uint8Array;
  /** Where the fault is, as quarantine says it: `metrics.temperature`, `[3].ts`. */
  readonly field: string | undefined;
  /** The reading of an array that is meant; steps begin at it. Undefined for the whole message. */
  readonly part: number | undefined;
}

/** The payload made right, without secrets, or why it cannot be. The payload given stays as it is. */
export function fixPayload(
  faulty: Faulty,
  fix: PayloadFix | undefined,
): { readonly payload: Uint8Array } | { readonly problem: string } {
  if (!fix) return { payload: faulty.payload };
  if ('payload' in fix) return { payload: withoutProvisionToken(Buffer.from(fix.payload)) };
  let root: unknown;
  try {
    root = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(faulty.payload));
  } catch {
    return { problem: 'the payload is not JSON: only another payload can take its place' };
  }
  try {
    if (fix.removeField) removeField(root, faulty.field);
    for (const step of fix.steps) root = applyToPart(root, faulty.part, step);
  } catch (error) {
    if (error instanceof PatchError) return { problem: error.message };
    throw error;
  }
  return { payload: withoutProvisionToken(Buffer.from(JSON.stringify(root))) };
}

/** A step names something that is not there. */
class PatchError extends Error {}

/** Takes out what a path of ours leads to. Keys may have dots: the longest that is there is meant. */
function removeField(root: unknown, field: string | undefined): void {
  if (field === undefined) throw new PatchError('the fault is in no field that could be taken out');
  let at = root;
  let rest = field;
  for (;;) {
    const [name, after] = firstOf(at, rest) ?? [];
    if (name === undefined) throw new PatchError(`there is no ${field}`);
    if (after === undefined || after === '') {
      if (Array.isArray(at)) at.splice(Number(name), 1);
      else if (isObject(at)) delete at[name];
      return;
    }
    at = Array.isArray(at) ? at[Number(name)] : isObject(at) ? at[name] : undefined;
    rest = after;
  }
}

/** The first name of a path that exists here, and what follows it. */
function firstOf(at: unknown, path: string): [name: string, after: string] | undefined {
  if (Array.isArray(at)) {
    const [all, index] = /^\[(\d+)\]\.?/.exec(path) ?? [];
    return all !== undefined && index !== undefined && Number(index) < at.length
      ? [index, path.slice(all.length)]
      : undefined;
  }
  if (!isObject(at)) return undefined;
  const name = Object.keys(at)
    .filter((key) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`))
    .sort((a, b) => b.length - a.length)[0];
  // Quarantine cuts a long key short.
  const cut = name ?? Object.keys(at).find((key) => key.length > 64 && path === key.slice(0, 64));
  return cut === undefined ? undefined : [cut, path.slice(cut.length).replace(/^\./, '')];
}

function applyToPart(root: unknown, part: number | undefined, step: PatchStep): unknown {
  if (part === undefined || !Array.isArray(root)) return applyStep(root, step);
  if (part >= root.length) throw new PatchError(`the message has no reading ${part} any more`);
  root[part] = applyStep(root[part], step);
  return root;
}

function applyStep(root: unknown, step: PatchStep): unknown {
  if (step.op === 'move') {
    const value = find(root, readPointer(step.from));
    return put(take(root, step.from), step.path, value, false);
  }
  if (step.op === 'remove') return take(root, step.path);
  return put(root, step.path, step.value, step.op === 'replace');
}

/** The names in a JSON pointer. @throws PatchError unless it is one */
function readPointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw new PatchError(`${pointer} is not a JSON pointer`);
  return pointer
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function find(root: unknown, names: readonly string[]): unknown {
  let at = root;
  for (const name of names) {
    if (Array.isArray(at) && /^\d+$/.test(name) && Number(name) < at.length) at = at[Number(name)];
    else if (isObject(at) && Object.hasOwn(at, name)) at = at[name];
    else throw new PatchError(`there is no /${names.join('/')}`);
  }
  return at;
}

function take(root: unknown, pointer: string): unknown {
  const names = readPointer(pointer);
  find(root, names);
  const last = names.at(-1);
  if (last === undefined) throw new PatchError('the whole message cannot be removed');
  const holder = find(root, names.slice(0, -1));
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else if (isObject(holder)) delete holder[last];
  return root;
}

function put(root: unknown, pointer: string, value: unknown, mustExist: boolean): unknown {
  const names = readPointer(pointer);
  const last = names.at(-1);
  if (last === undefined) return value;
  if (mustExist) find(root, names);
  const holder = find(root, names.slice(0, -1));
  if (Array.isArray(holder)) {
    const index = last === '-' ? holder.length : Number(last);
    if (!/^(-|\d+)$/.test(last) || index > holder.length) throw new PatchError(`there is no ${pointer}`);
    holder.splice(index, mustExist ? 1 : 0, value);
  } else if (isObject(holder)) {
    // Assigning `__proto__` would change the object itself.
    Object.defineProperty(holder, last, { value, writable: true, enumerable: true, configurable: true });
  } else throw new PatchError(`there is no ${pointer}`);
  return root;
}
