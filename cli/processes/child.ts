import { type ChildProcess, fork } from "node:child_process";

/**
 * Where every core has its process, V8's threads for garbage collection only take turns with the others: 220 to 212 ms of CPU time a
 * photo without them (all pictures, alexnet-mini), and no more for the process itself.
 */
const besideOthers = ["--single-threaded-gc"];

/**
 * Starts a script of the product as a process that is spoken to by messages; its first one is sent with it.
 * @param isBesideOthers whether other such processes work at the same time
 */
export function startProcess(script: URL, first: object, isBesideOthers: boolean): ChildProcess {
  const child = fork(script, [], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "advanced",
    execArgv: [...process.execArgv, ...(isBesideOthers ? besideOthers : [])],
  });
  child.on("error", () => {}); // it also exits
  child.send(first, () => {});
  return child;
}

/** Whether a process has ended. */
export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** How a process ended, for people. */
export function endOf(child: ChildProcess): string {
  return child.signalCode === null ? `ended with code ${child.exitCode}` : `was ended by ${child.signalCode}`;
}

/** Sends work and waits for its answer. @returns undefined when the process ended, before or meanwhile */
export function ask<Work extends object, Answer>(child: ChildProcess, work: Work): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const onMessage = (answer: Answer): void => done(answer);
    const onExit = (): void => done(undefined);
    const done = (answer: Answer | undefined): void => {
      child.off("message", onMessage);
      child.off("exit", onExit);
      resolve(answer);
    };
    child.on("message", onMessage);
    child.on("exit", onExit);
    if (hasEnded(child)) done(undefined);
    else child.send(work, (error) => error && done(undefined));
  });
}
