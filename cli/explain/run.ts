import { hearInterrupts, type Interrupt, interruptCodes } from "../terminal/interrupts.ts";
import type { ExplainedPhoto, PhotoTask } from "./photo.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** What became of a photo. */
export type PhotoOutcome =
  | { readonly result: ExplainedPhoto; readonly error?: undefined }
  | { readonly error: string; readonly result?: undefined };

/** A photo of a run: to be explained, or what was wrong with it from the start. */
export type RunItem = { readonly task: PhotoTask } | { readonly error: string };

/** How a run ended. */
export interface RunEnd {
  /** Photos that are done, whether they went well or not. */
  readonly done: number;
  /** Set when the disk took no more: the error. */
  readonly full: string | undefined;
  readonly interrupt: Interrupt | undefined;
}

/** Outcomes that may wait for the one of an earlier photo. */
const window = 64;

/**
 * Explains photos side by side and tells what became of each, in their order and as it goes. Ends early when the disk is full and
 * when it is interrupted; what was written stays.
 */
export async function runPhotos(
  items: readonly RunItem[],
  pool: WorkerPool,
  onOutcome: (index: number, outcome: PhotoOutcome) => void,
): Promise<RunEnd> {
  let next = 0;
  let told = 0;
  let done = 0;
  let full: string | undefined;
  let interrupt: Interrupt | undefined;
  const outcomes = new Map<number, PhotoOutcome>();
  let wakers: (() => void)[] = [];
  const wake = (): void => {
    const sleeping = wakers;
    wakers = [];
    for (const waker of sleeping) waker();
  };
  const isOver = (): boolean => full !== undefined || interrupt !== undefined;
  const tell = (): void => {
    for (let outcome = outcomes.get(told); outcome !== undefined; outcome = outcomes.get(told)) {
      outcomes.delete(told);
      onOutcome(told++, outcome);
    }
    wake();
  };
  const lane = async (): Promise<void> => {
    while (next < items.length && !isOver()) {
      if (next - told >= window) {
        await new Promise<void>((resolve) => wakers.push(resolve));
        continue;
      }
      const index = next++;
      const item = items[index];
      if (item === undefined) return;
      const outcome = "task" in item ? await pool.run(item.task) : { error: item.error, isFatal: false };
      if (outcome === undefined || "isLoaded" in outcome) return; // the pool was stopped
      if (outcome.error !== undefined && outcome.isFatal) {
        full ??= outcome.error;
        wake();
        return;
      }
      outcomes.set(index, outcome);
      done++;
      tell();
    }
  };
  const hearNoMore = hearInterrupts((what) => {
    interrupt ??= what;
    wake();
    void pool.stop();
  });
  try {
    await Promise.all(Array.from({ length: pool.count }, lane));
    await pool.stop();
  } finally {
    hearNoMore();
  }
  return { done, full, interrupt };
}

/** Exit code of a run. */
export function exitCodeOf({ full, interrupt }: RunEnd, failed: number): number {
  if (interrupt !== undefined) return interruptCodes[interrupt];
  return full !== undefined || failed > 0 ? 1 : 0;
}
