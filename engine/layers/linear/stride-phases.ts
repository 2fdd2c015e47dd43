// How a convolution's input gradient becomes convolutions of the output gradient: one per stride phase.

/** Taps of one axis that serve the input positions of one residue, and where they read the output gradient. */
export interface PhaseAxis {
  /** First input position of the residue and number of positions, `stride` apart. */
  readonly first: number;
  readonly count: number;
  /** Kernel index of the first tap in reading order, and how it falls from tap to tap. */
  readonly lastTap: number;
  readonly tapStep: number;
  readonly taps: number;
  /** Output position that the first tap reads for the first input position, and how it rises from tap to tap. */
  readonly firstRead: number;
  readonly readStep: number;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/**
 * The phases of one axis.
 *   dx[y] = sum over i of w[i] * dy[(y + pad - i*dilation) / stride], where the division is exact
 * For y of one residue class the taps i lie a constant step apart and read dy a constant step apart: a convolution.
 * @param inputLength positions of the input
 */
export function phasesOf(
  inputLength: number,
  kernel: number,
  stride: number,
  pad: number,
  dilation: number,
): readonly PhaseAxis[] {
  const divisor = gcd(stride, dilation);
  const tapStep = stride / divisor;
  const phases: PhaseAxis[] = [];
  for (let residue = 0; residue < stride; residue++) {
    const first = (((residue - pad) % stride) + stride) % stride;
    if (first >= inputLength) continue;
    const count = Math.floor((inputLength - 1 - first) / stride) + 1;
    let firstTap = -1;
    for (let i = 0; i < Math.min(kernel, tapStep); i++) {
      if ((i * dilation) % stride === residue) firstTap = i;
    }
    const taps = firstTap < 0 ? 0 : Math.floor((kernel - 1 - firstTap) / tapStep) + 1;
    const lastTap = firstTap + (taps - 1) * tapStep;
    const firstRead = (first + pad - lastTap * dilation) / stride;
    phases.push({ first, count, lastTap, tapStep, taps, firstRead, readStep: dilation / divisor });
  }
  return phases;
}

/** Zeros that reading dy needs before position 0 and after position `length - 1`. */
export function gradientPads(phases: readonly PhaseAxis[], length: number): [before: number, after: number] {
  let before = 0;
  let after = 0;
  for (const { count, taps, firstRead, readStep } of phases) {
    if (taps === 0) continue;
    before = Math.max(before, -firstRead);
    after = Math.max(after, firstRead + count - 1 + (taps - 1) * readStep - (length - 1));
  }
  return [before, after];
}
