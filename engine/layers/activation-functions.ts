import type { ActivationFunction } from "../graph/activation-functions.ts";
import type { FunctionNode } from "../graph/definition.ts";
import type { OutputSign } from "./output-sign.ts";

/** What is known of a function: the kernels' number for it, its parameters' defaults, its sign, and whether 0 stays 0. */
export interface FunctionFacts {
  readonly kernel: number;
  readonly alpha: number;
  readonly beta: number;
  sign(alpha: number, beta: number): OutputSign;
  keepsZero(alpha: number, beta: number): boolean;
}

const nonNegative = (): OutputSign => "nonNegative";
const keeps = (): OutputSign => "keeps";
const always = (): boolean => true;
const never = (): boolean => false;

function facts(
  kernel: number,
  sign: FunctionFacts["sign"],
  keepsZero: FunctionFacts["keepsZero"],
  alpha = 1,
  beta = 1,
): FunctionFacts {
  return { kernel, sign, keepsZero, alpha, beta };
}

/** Every function; the numbers are those of kernels-as/layers/activation.ts. */
const table = {
  sigmoid: facts(0, nonNegative, never),
  tanh: facts(1, keeps, always),
  silu: facts(2, keeps, always),
  hardSigmoid: facts(3, nonNegative, (_, beta) => beta <= 0, 0.2, 0.5),
  hardSwish: facts(4, keeps, always, 1 / 6, 0.5),
  gelu: facts(5, keeps, always),
  geluTanh: facts(6, keeps, always),
  elu: facts(7, (alpha, beta) => (beta < 0 ? "any" : alpha <= 0 ? "nonNegative" : "keeps"), always),
  celu: facts(8, (alpha) => (alpha > 0 ? "keeps" : "any"), always),
  mish: facts(9, keeps, always),
  softplus: facts(10, nonNegative, never),
  softsign: facts(11, keeps, always),
  exp: facts(12, nonNegative, never),
  log: facts(13, () => "any", never),
  sqrt: facts(14, nonNegative, always),
  abs: facts(15, nonNegative, always),
  power: facts(
    16,
    (alpha) => (alpha % 2 === 0 ? "nonNegative" : "keeps"),
    (alpha) => alpha > 0,
    2,
  ),
  reciprocal: facts(17, keeps, never),
  erf: facts(18, keeps, always),
  threshold: facts(19, (alpha) => (alpha >= 0 ? "nonNegative" : "keeps"), always),
  sign: facts(20, keeps, always),
} satisfies Record<ActivationFunction, FunctionFacts>;

/** A node's function with its parameters filled in. */
export function functionOf(node: FunctionNode): {
  readonly kernel: number;
  readonly alpha: number;
  readonly beta: number;
  readonly sign: OutputSign;
  readonly keepsZero: boolean;
} {
  const { kernel, sign, keepsZero, ...defaults } = table[node.function];
  const { alpha = defaults.alpha, beta = defaults.beta } = node;
  return { kernel, alpha, beta, sign: sign(alpha, beta), keepsZero: keepsZero(alpha, beta) };
}
