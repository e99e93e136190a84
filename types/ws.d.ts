/**
 * Types for npm:ws, which has none of its own. Only what is used is declared, and of the rest of the library nothing is
 * used; the originals are explained at https://github.com/websockets/ws/blob/8.23.0/doc/ws.md.
 */

declare module "ws" {
  export class WebSocket {
    readonly readyState: 0 | 1 | 2 | 3;
    on(event: "message", told: (data: Uint8Array, isBinary: boolean) => void): this;
    on(event: "ping" | "pong", told: (data: Uint8Array) => void): this;
    on(event: "error", told: (error: Error) => void): this;
    on(event: "close", told: (code: number) => void): this;
    pong(data: Uint8Array): void;
    pause(): void;
    resume(): void;
    close(code?: number, reason?: Uint8Array): void;
    terminate(): void;
  }

  export class WebSocketServer {
    constructor(options: {
      noServer: true;
      perMessageDeflate: false;
      maxPayload: number;
      skipUTF8Validation: boolean;
      autoPong: boolean;
      clientTracking: false;
      WebSocket: typeof WebSocket;
    });
    handleUpgrade(request: unknown, socket: unknown, head: unknown, done: (socket: WebSocket) => void): void;
  }
}
