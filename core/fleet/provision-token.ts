/** A payload that contains these bytes may carry a secret. */
export const PROVISION_TOKEN_MARKER = Buffer.from('"provision_token"');

const MASK = 0x2a;

/**
 * The payload without any `provision_token`, at whatever depth. JSON is written anew, so its spelling may change;
 * of what is no JSON everything from the marker on is replaced by asterisks, since nobody knows where the secret ends.
 */
export function withoutProvisionToken(payload: Buffer): Buffer {
  const at = payload.indexOf(PROVISION_TOKEN_MARKER);
  if (at === -1) return payload;
  try {
    const parsed: unknown = JSON.parse(payload.toString('utf8'));
    return Buffer.from(
      JSON.stringify(parsed, (key, value: unknown) => (key === 'provision_token' ? undefined : value)),
    );
  } catch {
    return Buffer.from(payload).fill(MASK, at);
  }
}
