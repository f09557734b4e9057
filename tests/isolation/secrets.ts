/** Stands in every name, label and note of the tenant that must not be seen. */
export const MARKER = 'alphasecret';

/** What comes with the platform is everybody's. */
const isShared = (answer: object): boolean => 'source' in answer && answer.source === 'SYSTEM';

/** What only the tenant's own members may ever read: marked texts and the ids of what it owns. */
export function collectSecrets(answer: unknown, into: Set<string>): void {
  if (typeof answer === 'string') {
    if (answer.includes(MARKER)) into.add(answer);
  } else if (Array.isArray(answer)) for (const each of answer) collectSecrets(each, into);
  else if (typeof answer === 'object' && answer !== null) {
    for (const [name, value] of Object.entries(answer)) {
      if (name === 'id' && typeof value === 'string' && !isShared(answer)) into.add(value);
      collectSecrets(value, into);
    }
  }
}

/** The secrets in an answer that were not in the question, and any other text with the marker in it. */
export function leaksIn(answer: unknown, question: string, secrets: ReadonlySet<string>): string[] {
  const leaks: string[] = [];
  const look = (value: unknown): void => {
    if (typeof value === 'string') {
      const known = [...secrets].filter((secret) => holds(value, secret) && !question.includes(secret));
      if (known.length > 0) leaks.push(...known);
      else if (value.includes(MARKER) && !question.includes(MARKER)) leaks.push(value);
    } else if (Array.isArray(value)) for (const each of value) look(each);
    else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) look(each);
  };
  look(answer);
  return leaks;
}

/** Whether a text holds another one that does not merely begin a longer id. */
function holds(text: string, secret: string): boolean {
  const at = text.indexOf(secret);
  return at >= 0 && (secret.includes(MARKER) || !/[\w-]/.test(text[at + secret.length] ?? ''));
}
