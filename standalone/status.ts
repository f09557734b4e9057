import type { ProcessChange } from './supervise.ts';

type Mark = 'busy' | 'ok' | 'bad' | 'off';

const SYMBOLS: Readonly<Record<Mark, string>> = { busy: '·', ok: '✓', bad: '✗', off: '–' };
const COLOURS: Readonly<Record<Mark, number>> = { busy: 90, ok: 32, bad: 31, off: 90 };

/** One line for each part of the platform. On a terminal the lines are rewritten in place, elsewhere each change is printed. */
export interface StatusLines {
  set(part: string, mark: Mark, text: string): void;
  /** Says what a supervised process does; `where` is shown while it is ready. */
  change(part: string, change: ProcessChange, where: string): void;
  /** A line of its own among them. */
  note(text: string): void;
  /** From now on every change is a new line below: what was printed meanwhile must stay. */
  settle(): void;
}

/** Where the lines go: standard output, or anything like it. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export function createStatusLines(out: Output): StatusLines {
  const lines = new Map<string, { mark: Mark; text: string }>();
  let inPlace = out.isTTY === true;
  let drawn = 0;

  const paint = (mark: Mark, text: string) => (out.isTTY ? `\u001b[${COLOURS[mark]}m${text}\u001b[0m` : text);
  const format = (part: string, mark: Mark, text: string) => {
    const line = `  ${SYMBOLS[mark]} ${part.padEnd(11)}${text}`;
    const width = out.isTTY ? (out.columns ?? 80) - 1 : Number.POSITIVE_INFINITY;
    const cut = line.length > width ? `${line.slice(0, width - 1)}…` : line;
    return cut.replace(SYMBOLS[mark], paint(mark, SYMBOLS[mark]));
  };
  const erase = () => {
    if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const draw = () => {
    for (const [part, { mark, text }] of lines) out.write(`${format(part, mark, text)}\n`);
    drawn = lines.size;
  };
  const set = (part: string, mark: Mark, text: string) => {
    const before = lines.get(part);
    if (before?.mark === mark && before.text === text) return;
    lines.set(part, { mark, text });
    if (!inPlace) {
      out.write(`${format(part, mark, text)}\n`);
      return;
    }
    erase();
    draw();
  };

  return {
    set,
    change(part, change, where) {
      if (change.state === 'starting') {
        if (inPlace) set(part, 'busy', 'starting');
      } else if (change.state === 'ready') {
        const again = change.restarts > 0 ? `, restarted ${times(change.restarts)}` : '';
        set(part, 'ok', `${where}${again}`);
      } else if (change.state === 'down') {
        set(part, 'bad', `${change.reason}; starting again in ${change.retryMs / 1000} s`);
      } else {
        set(part, 'off', 'stopped');
      }
    },
    note(text) {
      if (!inPlace) {
        out.write(`  ! ${text}\n`);
        return;
      }
      erase();
      out.write(`  ! ${text}\n`);
      draw();
    },
    settle() {
      inPlace = false;
      drawn = 0;
    },
  };
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
