import { readGlobalId } from '#api/graphql/global-ids.ts';

/** What somebody calls a message. */
export type MessageName =
  | { readonly kind: 'receipt'; readonly batchId: string; readonly index: number }
  | { readonly kind: 'reading'; readonly deviceId: number; readonly ts: Date; readonly messageId: string }
  | { readonly kind: 'quarantined'; readonly id: string }
  /** Names a message only together with its device. */
  | { readonly kind: 'number'; readonly messageId: string };

const RECEIPT = /^([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.(\d{1,6})$/i;
const NUMBER = /^-?\d{1,19}$/;

/** Reads a receipt, the id of a reading or of a quarantined message, or a message id; undefined for anything else. */
export function readMessageName(text: string): MessageName | undefined {
  const [, batchId, index] = RECEIPT.exec(text) ?? [];
  if (batchId && index) return { kind: 'receipt', batchId: batchId.toLowerCase(), index: Number(index) };
  if (isBigint(text)) return { kind: 'number', messageId: text };
  const id = readGlobalId(text);
  if (id?.typename === 'QuarantinedMessage' && /^\d{1,18}$/.test(id.id))
    return { kind: 'quarantined', id: id.id };
  if (id?.typename !== 'Reading') return undefined;
  const [, device, ts, messageId] = /^(\d{1,9})\.(-?\d{1,15})\.(-?\d{1,19})$/.exec(id.id) ?? [];
  const at = new Date(Number(ts));
  if (!device || !messageId || !isBigint(messageId) || Number.isNaN(at.getTime())) return undefined;
  return { kind: 'reading', deviceId: Number(device), ts: at, messageId };
}

const isBigint = (text: string): boolean =>
  NUMBER.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);

/** The half of a message id that a frame's manifest keeps. */
export const lowHalf = (messageId: string): string => String(BigInt.asUintN(32, BigInt(messageId)));
