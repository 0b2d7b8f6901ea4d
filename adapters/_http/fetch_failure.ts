/** All that `fetch` tells: it puts the reason into the cause. */
export function fetchFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** Whether a call failed as its connection broke, so that another try may find a good one. */
export function isConnectionLoss(error: unknown): boolean {
  return /connection reset|closed before message completed|broken pipe|connection closed|unexpected eof/i.test(
    fetchFailure(error),
  );
}
