/*
 * What systemd is told of the process (sd_notify): ready, reloading, ending, alive. It listens on a unix socket for
 * datagrams, which Node can't send, so its own tool `systemd-notify` is run for each message. Without NOTIFY_SOCKET
 * nothing of this happens.
 */
import { spawn } from 'node:child_process';

const TOOL = 'systemd-notify';

/** Tells the service manager, one message after the other. */
export class ServiceManager {
  readonly #isThere: boolean;
  /** Told why nothing can be told, once until something can. */
  readonly #onTrouble: (message: string) => void;
  #isInTrouble: boolean;
  /** What waits for the tool to end. */
  readonly #waiting: string[][];
  #isSending: boolean;

  constructor(environment: NodeJS.ProcessEnv, onTrouble: (message: string) => void) {
    this.#isThere = environment.NOTIFY_SOCKET !== undefined;
    this.#onTrouble = onTrouble;
    this.#isInTrouble = false;
    this.#waiting = [];
    this.#isSending = false;
  }

  /** It serves. The process is named, since after USR2 it is another one. */
  ready(status: string): void {
    this.#tell(['READY=1', `MAINPID=${process.pid}`, `STATUS=${status}`]);
  }

  reloading(): void {
    this.#tell(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, 'STATUS=reloading']);
  }

  /** Waits for nothing: the process may end before what was told before has left. */
  stopping(status: string): void {
    this.#waiting.length = 0;
    this.#isSending = false;
    this.#tell(['STOPPING=1', `STATUS=${status}`]);
  }

  status(text: string): void {
    this.#tell([`STATUS=${text}`]);
  }

  /** From now on says that the event loop runs, twice in each period that the manager waits (WatchdogSec=). */
  startWatchdog({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): void {
    const periodMs = Number(WATCHDOG_USEC ?? 0) / 1000;
    const isMeant = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
    if (!this.#isThere || !isMeant || !(periodMs > 0)) return;
    setInterval(() => this.#tell(['WATCHDOG=1']), periodMs / 2).unref();
  }

  #tell(message: string[]): void {
    if (!this.#isThere) return;
    this.#waiting.push(message);
    if (!this.#isSending) this.#sendNext();
  }

  /** It does not keep the process: who ends is not waited for. */
  #sendNext(): void {
    const message = this.#waiting.shift();
    this.#isSending = message !== undefined;
    if (message === undefined) return;
    const tool = spawn(TOOL, message, { stdio: 'ignore' });
    tool.once('error', (error) => {
      this.#tellTrouble(message, error);
      // Another time there may be a process to be had: a service whose watchdog falls silent is killed.
      this.#sendNext();
    });
    tool.once('exit', () => {
      this.#isInTrouble = false;
      this.#sendNext();
    });
    tool.unref();
  }

  #tellTrouble(message: readonly string[], { message: reason }: Error): void {
    if (this.#isInTrouble) return;
    this.#isInTrouble = true;
    this.#onTrouble(
      `Cannot tell the service manager "${message.join(' ')}": ${TOOL} can't be run (${reason}); install it, or use Type=exec in the unit`,
    );
  }
}
