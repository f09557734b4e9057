import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createStatusLines } from './status.ts';

function terminal(isTTY: boolean) {
  const out = Object.assign(new PassThrough(), { isTTY, columns: 80 });
  return { status: createStatusLines(out), text: () => String(out.read() ?? '') };
}

test('a pipe gets one line for each change worth telling', () => {
  const { status, text } = terminal(false);
  status.change('nats', { state: 'starting' }, 'port 4222');
  status.change('nats', { state: 'ready', afterMs: 5, restarts: 0 }, 'port 4222');
  status.change('nats', { state: 'down', reason: 'ended by SIGKILL', retryMs: 200 }, 'port 4222');
  status.change('nats', { state: 'starting' }, 'port 4222');
  status.change('nats', { state: 'ready', afterMs: 5, restarts: 1 }, 'port 4222');
  expect(text()).toBe(
    [
      '  ✓ nats       port 4222',
      '  ✗ nats       ended by SIGKILL; starting again in 0.2 s',
      '  ✓ nats       port 4222, restarted once',
      '',
    ].join('\n'),
  );
});

test('a terminal gets one line a part, rewritten in place until everything is ready', () => {
  const { status, text } = terminal(true);
  status.set('a', 'busy', 'one');
  status.set('b', 'busy', 'two');
  status.set('a', 'ok', 'three');
  expect(text()).toContain('\u001b[2A\u001b[J');
  status.settle();
  status.set('a', 'bad', 'four');
  expect(text()).toBe('  \u001b[31m✗\u001b[0m a          four\n');
});
