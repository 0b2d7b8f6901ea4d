import type { CallLimit } from "../_http/call_limit.ts";
import { ItemBatches } from "../_http/item_batches.ts";
import { badRecord, type Call, connectionLost, errorOfLine, incomplete } from "./_errors.ts";
import { type Checked, isObject, parseJson } from "./_json_value.ts";

/** What records are and how they come. */
export interface RecordSource<T> {
  /** The lines, in batches. */
  readonly lines: AsyncIterableIterator<string[], undefined, void>;
  /** The call they answer. */
  readonly call: Call;
  /** Limits of the call; its clock runs until the first record. */
  readonly limit: CallLimit;
  /** Checks a record's shape. */
  readonly check: (value: unknown) => Checked<T>;
  /** Whether none follows. */
  readonly isLast: (record: T) => boolean;
  /** What an answer lacks that ends without a last record, as it stands behind "without". */
  readonly lastRecord: string;
}

/**
 * Reads records from lines, in the lines' batches, up to the last one; whatever follows that one is ignored.
 *
 * @param source The lines, and what is known of their records.
 * @returns The records. Any end but the last record is an error, which comes after the good records before it.
 */
export function readRecords<T>({ lines, call, limit, check, isLast, lastRecord }: RecordSource<T>): ItemBatches<
  string,
  T
> {
  let count = 0;
  return new ItemBatches<string, T>({
    batches: lines,
    limit,
    read: (line, batch) => {
      count++;
      const value = parseJson(line);
      if (value === undefined) throw badRecord(call, count, "no JSON");
      if (isObject(value) && value["error"] !== undefined && value["error"] !== null) throw errorOfLine(call, line);
      const result = check(value);
      if (result.issues !== undefined) throw badRecord(call, count, result.issues);
      batch.push(result.value);
      return isLast(result.value);
    },
    checkEnd: () => {
      throw incomplete(call, lastRecord);
    },
    lost: (cause) => connectionLost(call, cause),
  });
}
