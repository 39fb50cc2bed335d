/** A bare HTTP client for load: what it costs must not hide what the server costs. */
import net from 'node:net';

/** One request at a time on one connection. */
export class Connection {
  readonly #socket: net.Socket;
  #answered: ((status: number) => void) | null = null;
  #received = '';

  constructor(port: number) {
    this.#socket = net.connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    this.#socket.on('data', (chunk: string) => this.#read(chunk));
    this.#socket.on('error', (error) => {
      throw error;
    });
  }

  send(head: string, body: Buffer): Promise<number> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  end(): void {
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    this.#received += chunk;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd).toLowerCase();
    const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
    const chunked = head.includes('transfer-encoding: chunked');
    const complete = chunked ? this.#received.endsWith('0\r\n\r\n') : this.#received.length >= headEnd + 4 + length;
    if (!complete) return;
    this.#received = '';
    this.#answered?.(Number(head.slice(9, 12)));
  }
}
