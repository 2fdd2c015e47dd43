/**
 * Why `fetch` failed, in the system's words, which it hides in a cause, or in the causes of that (a name with several addresses).
 * Empty where it says nothing but that it failed.
 */
export function fetchFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message === "fetch failed" ? "" : error.message;
  if (cause.message !== "") return cause.message;
  const [first]: unknown[] = cause instanceof AggregateError ? cause.errors : [];
  return first instanceof Error ? first.message : "";
}
