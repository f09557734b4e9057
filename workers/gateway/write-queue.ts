/** Whoever has bytes to write. */
export interface Writer {
  writeDue(): void;
}

/** Lets each connection write once a turn of the event loop, however many answers became due in it. */
export interface WriteQueue {
  add(writer: Writer): void;
}

export function createWriteQueue(): WriteQueue {
  let due: Writer[] = [];
  const writeAll = () => {
    const writers = due;
    due = [];
    for (const writer of writers) writer.writeDue();
  };
  return {
    add(writer) {
      if (due.length === 0) setImmediate(writeAll);
      due.push(writer);
    },
  };
}
