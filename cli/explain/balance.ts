import type { Tensor } from "../../engine/basics/tensor.ts";

/** How much relevance speaks for a target and how much against it: the sums of a map's positive and of its negative values. */
export interface Balance {
  /** 0 or more. */
  readonly for: number;
  /** 0 or less. */
  readonly against: number;
}

/** Adds up a relevance map by sign. */
export function balanceOf({ data }: Tensor): Balance {
  let positive = 0;
  let negative = 0;
  for (const value of data) {
    if (value > 0) positive += value;
    else negative += value;
  }
  return { for: positive, against: negative };
}

/** `for +0.731, against -0.004 (99 % for)`. */
export function describeBalance(balance: Balance): string {
  const total = balance.for - balance.against;
  if (total === 0) return "none";
  const number = (value: number, sign: string): string =>
    value === 0 ? "0" : `${sign}${Math.abs(value).toPrecision(3)}`;
  const share = (100 * balance.for) / total;
  return `for ${number(balance.for, "+")}, against ${number(balance.against, "-")} (${share.toFixed(share > 99 && share < 100 ? 1 : 0)} % for)`;
}
