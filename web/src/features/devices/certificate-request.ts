/** A key made in this browser, and the request for a certificate for it; both PEM. The key is sent nowhere. */
export type KeyAndRequest = { readonly privateKey: string; readonly csr: string };

const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const;
/** ecdsa-with-SHA256 (RFC 5758): a sequence of its object identifier. */
const signatureAlgorithm = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/** Makes an EC P-256 key and a PKCS #10 request (RFC 2986) without names: the platform writes those itself. */
export async function createKeyAndRequest(): Promise<KeyAndRequest> {
  const keys = await crypto.subtle.generateKey(curve, true, ['sign', 'verify']);
  const spki = new Uint8Array(await crypto.subtle.exportKey('spki', keys.publicKey));
  const version = [0x02, 0x01, 0x00];
  const noName = [0x30, 0x00];
  const noAttributes = [0xa0, 0x00];
  const info = der(0x30, [...version, ...noName, ...spki, ...noAttributes]);
  const signature = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    keys.privateKey,
    new Uint8Array(info),
  );
  const request = der(0x30, [
    ...info,
    ...signatureAlgorithm,
    ...der(0x03, [0x00, ...derSignature(new Uint8Array(signature))]),
  ]);
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { privateKey: toPem('PRIVATE KEY', pkcs8), csr: toPem('CERTIFICATE REQUEST', request) };
}

/** One DER value. Nothing here is longer than 65 535 bytes. */
function der(tag: number, content: readonly number[]): number[] {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return [tag, ...size, ...content];
}

/** The two halves of a raw signature as a DER sequence of integers. */
function derSignature(raw: Uint8Array): number[] {
  const integer = (half: Uint8Array) => {
    const first = half.findIndex((byte) => byte !== 0);
    const bytes = [...half.subarray(first === -1 ? half.length - 1 : first)];
    return der(0x02, (bytes[0] ?? 0) & 0x80 ? [0, ...bytes] : bytes);
  };
  const middle = raw.length / 2;
  return der(0x30, [...integer(raw.subarray(0, middle)), ...integer(raw.subarray(middle))]);
}

function toPem(label: string, bytes: Iterable<number>): string {
  const text = btoa(String.fromCharCode(...bytes));
  return `-----BEGIN ${label}-----\n${text.replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;
}
