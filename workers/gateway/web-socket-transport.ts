import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { Transport } from './transport.ts';

/** MQTT travels in binary messages only (MQTT 3.1.1, 6.0). */
const UNSUPPORTED_DATA = 1003;
const NORMAL = 1000;

/**
 * The bytes of a WebSocket as a stream: a packet may be spread over messages, and a message may hold several. What is
 * not read is not taken from the network.
 */
export class WebSocketTransport extends Duplex implements Transport {
  readonly remoteAddress: string | undefined;
  readonly #webSocket: WebSocket;

  constructor(webSocket: WebSocket, remoteAddress: string | undefined, highWaterMark: number) {
    super({ highWaterMark, allowHalfOpen: false });
    this.remoteAddress = remoteAddress;
    this.#webSocket = webSocket;
    webSocket.on('message', (data: RawData, isBinary: boolean) => {
      if (!isBinary) webSocket.close(UNSUPPORTED_DATA, 'MQTT is binary');
      else if (!this.destroyed && !this.push(bytesOf(data))) webSocket.pause();
    });
    webSocket.on('error', (error) => this.destroy(error));
    // What came before the goodbye is still read; the end of it destroys the stream.
    webSocket.on('close', () => {
      if (!this.destroyed) this.push(null);
    });
  }

  /** The socket below is set up so already. */
  setNoDelay(): void {}

  setKeepAlive(): void {}

  destroySoon(): void {
    if (this.writableFinished) this.destroy();
    else {
      this.once('finish', () => this.destroy());
      this.end();
    }
  }

  override _read(): void {
    if (this.#webSocket.isPaused) this.#webSocket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#webSocket.send(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const { readyState, CLOSED } = this.#webSocket;
    if (readyState === CLOSED) {
      done();
      return;
    }
    this.#webSocket.once('close', () => done());
    this.#webSocket.close(NORMAL);
    // A paused reader would never see the other side's goodbye.
    this.#webSocket.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#webSocket.terminate();
    done(error);
  }
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
