import type { Session } from '../../auth/session.ts';

export type ExistingChoice = 'skip' | 'fail' | 'update';
export type TokenChoice = 'none' | 'created' | 'all';

export type ImportOrder = {
  readonly dryRun: boolean;
  readonly existing: ExistingChoice;
  readonly tokens: TokenChoice;
};

export type RowError = {
  readonly row: number;
  readonly key: string | null;
  readonly column: string | null;
  readonly code: string;
  readonly message: string;
};

/** What came of a file, or would. */
export type ImportOutcome = {
  readonly rows: number;
  readonly created: number;
  readonly updated: number;
  readonly skipped: number;
  readonly failed: number;
  readonly errors: readonly RowError[];
  readonly errors_left_out: number;
  readonly credentials: string | null;
};

const timeoutMs = 120_000;

/** Sends a file of devices. Throws an Error with one sentence when it was not taken, or nobody answered. */
export async function sendImport(session: Session, file: File, order: ImportOrder): Promise<ImportOutcome> {
  const query = new URLSearchParams({
    dry_run: String(order.dryRun),
    ...{ existing: order.existing, tokens: order.tokens },
  });
  const response = await fetch(`/import/v1/devices?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv', authorization: `Bearer ${await session.accessToken()}` },
    body: file,
    credentials: 'omit',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(() => {
    throw new Error('The platform did not answer. Check first: the file may have been imported.');
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (isOutcome(answer)) return answer;
  throw new Error(detailOf(answer) ?? `The platform answered ${response.status}.`);
}

const isOutcome = (answer: unknown): answer is ImportOutcome =>
  typeof answer === 'object' && answer !== null && 'errors' in answer && 'created' in answer;

const detailOf = (answer: unknown): string | undefined =>
  typeof answer === 'object' && answer !== null && 'detail' in answer ? String(answer.detail) : undefined;
