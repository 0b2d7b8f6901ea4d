import { ChatModelError, type ChatModelErrorOptions } from "../types/mod.ts";

/** HTTP status of each of MLflow's error codes. */
const STATUS: { readonly [code: string]: number } = {
  INVALID_PARAMETER_VALUE: 400,
  BAD_REQUEST: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  CUSTOMER_UNAUTHORIZED: 401,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_DOES_NOT_EXIST: 404,
  NOT_FOUND: 404,
  ENDPOINT_NOT_FOUND: 404,
  ABORTED: 409,
  RESOURCE_CONFLICT: 409,
  ALREADY_EXISTS: 409,
  REQUEST_LIMIT_EXCEEDED: 429,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  INTERNAL_ERROR: 500,
  FEATURE_DISABLED: 500,
  INVALID_STATE: 500,
  DATA_LOSS: 500,
  NOT_IMPLEMENTED: 501,
  TEMPORARILY_UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

/** A tracking store or a registry cannot do what it was asked. */
export class TrackingError extends ChatModelError {
  /** Name of the class. */
  override name = "TrackingError";
  /** MLflow's code, such as `RESOURCE_DOES_NOT_EXIST`. */
  readonly errorCode: string;

  /**
   * Makes an error. `status` follows from the code and `code` is the code in lower case, unless told otherwise.
   *
   * @param errorCode MLflow's code.
   * @param message What went wrong and what would help.
   * @param options Facts about it.
   */
  constructor(errorCode: string, message: string, options: ChatModelErrorOptions = {}) {
    super(message, { status: STATUS[errorCode] ?? 500, code: errorCode.toLowerCase(), ...options });
    this.errorCode = errorCode;
  }
}
