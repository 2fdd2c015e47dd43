/**
 * Functions of one value, as ONNX and PyTorch define them; alpha and beta as given, with these defaults.
 *   sigmoid 1 / (1 + e^-x). tanh. silu x sigmoid(alpha x), alpha 1. hardSigmoid min(max(alpha x + beta, 0), 1), 0.2 and 0.5.
 *   hardSwish x min(max(alpha x + beta, 0), 1), 1/6 and 0.5. gelu x (1 + erf(x / sqrt 2)) / 2. geluTanh its approximation by tanh.
 *   elu beta (x > 0 ? x : alpha (e^x - 1)), 1 and 1 (SELU: 1.67326319217681884765625 and 1.05070102214813232421875).
 *   celu x > 0 ? x : alpha (e^(x / alpha) - 1), 1. mish x tanh(ln(1 + e^x)). softplus ln(1 + e^x). softsign x / (1 + |x|).
 *   exp, log, sqrt, abs, erf. power x^alpha, 2. reciprocal 1 / x. threshold x > alpha ? x : 0, 1.
 *   sign -1, 0 or 1.
 */
export const activationFunctions = [
  "sigmoid",
  "tanh",
  "silu",
  "hardSigmoid",
  "hardSwish",
  "gelu",
  "geluTanh",
  "elu",
  "celu",
  "mish",
  "softplus",
  "softsign",
  "exp",
  "log",
  "sqrt",
  "abs",
  "power",
  "reciprocal",
  "erf",
  "threshold",
  "sign",
] as const;
export type ActivationFunction = (typeof activationFunctions)[number];
