import { type OnReadOpts, Socket } from 'node:net';

/**
 * A socket in place of the accepted one that reads into a buffer which all sockets share: Node's own way is a new buffer of
 * 64 KiB for every read, which with thousands of connections costs more than reading. What a `data` listener is handed is valid
 * until it returns. The accepted socket lives on as what its server counts, and ends with the other.
 *
 * Node offers this (`onread`) for sockets that connect only; for those that it accepted the handle has to change hands, which is
 * no public interface. Where there is no such handle the accepted socket itself is returned.
 */
export function withSharedBuffer(accepted: Socket, buffer: Buffer): Socket {
  const handle: unknown = Reflect.get(accepted, '_handle');
  if (typeof handle !== 'object' || handle === null || !('useUserBuffer' in handle)) return accepted;
  Reflect.set(accepted, '_handle', null);
  const onread: OnReadOpts = {
    buffer,
    callback(length) {
      socket.emit('data', buffer.subarray(0, length));
      return true;
    },
  };
  const socket: Socket = Reflect.construct(Socket, [{ handle, onread, allowHalfOpen: false }]);
  socket.once('close', () => accepted.destroy());
  return socket;
}
