import type { Bus } from './connect.ts';
import type { ControlMessage } from './events.ts';
import { type ControlKind, controlSubject } from './subjects.ts';

/**
 * Listens for changes that make cached knowledge untrue. Not stored: what was published while we were away is lost, so
 * every cache also has a short life and is flushed on reconnect.
 */
export function listenControl(bus: Bus, kind: ControlKind, listener: (change: ControlMessage) => void): void {
  bus.connection.subscribe(controlSubject(kind), {
    callback(error, message) {
      if (!error) listener(message.json<ControlMessage>());
    },
  });
}
