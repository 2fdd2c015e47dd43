/** What is known of an output's sign: it is never negative; never where no input is; nothing. */
export type OutputSign = "nonNegative" | "keeps" | "any";
