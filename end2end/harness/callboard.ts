// A running `callboard demo` with a port and a data folder of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const BINARY = process.env.CALLBOARD_BINARY || resolve(import.meta.dirname, "../../target/debug/callboard");

/** How long a start may take on a busy machine, migrations and first calls included. */
const START_LIMIT_MS = 60_000;

/** How long the server may take to flush and close. */
const STOP_LIMIT_MS = 15_000;

export class Callboard {
  readonly url: string;
  #process: ChildProcess | undefined;
  #said = "";

  private constructor(
    private readonly port: number,
    private readonly folder: string,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<Callboard> {
    const callboard = new Callboard(await freePort(), await mkdtemp(join(tmpdir(), "callboard-")));
    await callboard.resume();
    return callboard;
  }

  /** Starts the server again on the same port and the same data, for tests of what a page does meanwhile. */
  async resume(): Promise<void> {
    const child = spawn(BINARY, ["demo"], {
      env: {
        ...process.env,
        CALLBOARD_LISTEN: `127.0.0.1:${this.port}`,
        CALLBOARD_DATA_DIR: this.folder,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    let failure: Error | undefined;
    child.on("error", (error) => (failure = error));
    const listen = (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-20_000));
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);

    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await this.isReady())) {
      if (failure) throw new Error(`failed to start ${BINARY}: ${failure.message}`);
      if (hasEnded(child)) throw new Error(`the server ended while it started:\n${this.#said}`);
      if (Date.now() > deadline) throw new Error(`the server was not ready in time:\n${this.#said}`);
      await pause(50);
    }
  }

  /** Lets the server end in its own way; an end that is not clean is an error. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (!child || hasEnded(child)) throw new Error(`the server ended before it was asked to:\n${this.#said}`);
    child.kill("SIGTERM");
    if (!(await ended(child, STOP_LIMIT_MS))) {
      await this.kill();
      throw new Error(`the server did not end when asked to:\n${this.#said}`);
    }
    if (child.exitCode !== 0) {
      throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}:\n${this.#said}`);
    }
  }

  /** Ends the server without a warning, as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || hasEnded(child)) return;
    child.kill("SIGKILL");
    await ended(child, STOP_LIMIT_MS);
  }

  /** Stops it, which must work, and leaves nothing behind. */
  async remove(): Promise<void> {
    try {
      await this.stop();
    } finally {
      await this.discard();
    }
  }

  /** Leaves nothing behind of a server that may have been killed. */
  async discard(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`)).ok;
    } catch {
      return false;
    }
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function ended(child: ChildProcess, limit: number): Promise<boolean> {
  const deadline = Date.now() + limit;
  while (!hasEnded(child) && Date.now() < deadline) await pause(20);
  return hasEnded(child);
}

/** A port nobody listens on; port 0 would do, but then only the server knew which one it got. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}
