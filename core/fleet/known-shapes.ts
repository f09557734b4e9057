import { QUOTE, standsAt } from './json-bytes.ts';
import type { Profile } from './measuring.ts';
import { type MeasuringPlan, planOf } from './measuring-plan.ts';

/** The metrics of many readings: the same names in the same order. */
export interface KnownShape {
  readonly names: readonly string[];
  /** How its values are stored where nobody changes or judges them. */
  readonly plain: MeasuringPlan;
  /** By profile; null where it must be asked for every single reading. */
  readonly plans: WeakMap<Profile, MeasuringPlan | null>;
}

/** What is known of readings that begin with the same names. */
export interface ShapeNode {
  /** The last of these names. */
  readonly name: Uint8Array;
  /** The names that may follow. */
  readonly next: ShapeNode[];
  /** Undefined where none ends here. */
  shape: KnownShape | undefined;
}

/** Names that may follow one another in a fleet; of more the oldest is forgotten. */
const MAX_NEXT = 32;
/** What devices with ever new names can make us remember; then it begins anew. */
const MAX_NODES = 20_000;

/** Which metrics devices send, learned from readings, so that the next one of a kind is recognised from its bytes. Bounded. */
export class KnownShapes {
  readonly #maxNames: number;
  #root = newNode('');
  #nodes = 0;

  /** @param maxNames readings with more metrics are not remembered */
  constructor(maxNames: number) {
    this.#maxNames = maxNames;
  }

  /** Where every reading begins. */
  get root(): ShapeNode {
    return this.#root;
  }

  /** @param names of metrics of a reading that was found good, in the order in which they were sent */
  learn(names: readonly string[]): void {
    if (names.length === 0 || names.length > this.#maxNames) return;
    if (this.#nodes > MAX_NODES) {
      this.#root = newNode('');
      this.#nodes = 0;
    }
    let node = this.#root;
    for (const name of names) node = this.#follow(node, name);
    const plain = planOf(names, undefined);
    if (plain) node.shape ??= { names, plain, plans: new WeakMap() };
  }

  #follow(node: ShapeNode, name: string): ShapeNode {
    const bytes = Buffer.from(name, 'latin1');
    const known = node.next.find((each) => bytes.equals(each.name));
    if (known) return known;
    const made = newNode(name);
    this.#nodes++;
    if (node.next.length >= MAX_NEXT) node.next.shift();
    node.next.push(made);
    return made;
  }
}

const newNode = (name: string): ShapeNode => ({
  name: Uint8Array.from(Buffer.from(name, 'latin1')),
  next: [],
  shape: undefined,
});

/** The names so far and the one that stands between quotes behind `at`; undefined where that is not known. */
export function nodeBehind(node: ShapeNode, bytes: Uint8Array, at: number): ShapeNode | undefined {
  for (let index = 0; index < node.next.length; index++) {
    const each = node.next[index];
    if (each && bytes[at + each.name.length] === QUOTE && standsAt(bytes, at, each.name)) return each;
  }
  return undefined;
}

/** How a profile stores the values of a shape; undefined where it must be asked for every single reading. */
export function planFor(shape: KnownShape, profile: Profile | undefined): MeasuringPlan | undefined {
  if (!profile) return shape.plain;
  let plan = shape.plans.get(profile);
  if (plan === undefined) {
    plan = planOf(shape.names, profile) ?? null;
    shape.plans.set(profile, plan);
  }
  return plan ?? undefined;
}
