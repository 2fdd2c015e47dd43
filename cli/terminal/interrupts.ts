/** Why a command ends early: Ctrl-C, a kill, or that nobody reads its output any more. */
export type Interrupt = "SIGINT" | "SIGTERM" | "EPIPE";

/** What a shell reports for each; EPIPE as for the signal that ends other programs then. */
export const interruptCodes: Readonly<Record<Interrupt, number>> = { SIGINT: 130, SIGTERM: 143, EPIPE: 141 };

let onClosedOutput: (() => void) | undefined;

/**
 * Hears of interrupts instead of ending at once.
 * @returns stops hearing
 */
export function hearInterrupts(handler: (interrupt: Interrupt) => void): () => void {
  const onInterrupt = (): void => handler("SIGINT");
  const onTermination = (): void => handler("SIGTERM");
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTermination);
  onClosedOutput = () => handler("EPIPE");
  return () => {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onTermination);
    onClosedOutput = undefined;
  };
}

/** Called when the reader of stdout went away (`srmap ... | head`): who hears interrupts decides, else the process ends. */
export function closedOutput(): void {
  if (onClosedOutput === undefined) process.exit(interruptCodes.EPIPE);
  onClosedOutput();
}
