import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const MAX_BYTES = 8 * 1024 * 1024;
const TAIL_BYTES = 4096;

/** Where a child's output goes. At 8 MiB the file is set aside as `<path>.1`, replacing the one before. */
export interface LogFile {
  write(chunk: Buffer): void;
  /** The last lines written, for an error message. */
  tail(lines?: number): string;
  close(): void;
}

/** Opens a log for appending, making its folder when needed. */
export function openLogFile(path: string): LogFile {
  mkdirSync(dirname(path), { recursive: true });
  let file = openSync(path, 'a', 0o600);
  let size = fstatSync(file).size;
  let recent = '';
  let closed = false;
  return {
    write(chunk) {
      recent = (recent + chunk.toString('utf8')).slice(-TAIL_BYTES);
      if (closed) return;
      if (size + chunk.length > MAX_BYTES) {
        closeSync(file);
        renameSync(path, `${path}.1`);
        file = openSync(path, 'a', 0o600);
        size = 0;
      }
      writeSync(file, chunk);
      size += chunk.length;
    },
    tail: (lines = 12) => recent.trimEnd().split('\n').slice(-lines).join('\n'),
    close() {
      if (!closed) closeSync(file);
      closed = true;
    },
  };
}
