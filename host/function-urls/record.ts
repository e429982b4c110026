// What is stored of a function URL: one for the unqualified function and one for each alias that has one.
import type { Cors, FunctionUrlAuthType, InvokeMode } from '../api/model/types.ts';

export interface FunctionUrlRecord {
  /** 32 characters of a-z and 0-9, unique over the host; new whenever a URL is created. */
  readonly id: string;
  readonly authType: FunctionUrlAuthType;
  readonly cors?: Cors | undefined;
  readonly invokeMode: InvokeMode;
  /** `2022-04-06T13:14:15.123456Z`. */
  readonly created: string;
  /** As `created`. */
  readonly lastModified: string;
}

/** `yyyy-mm-ddThh:mm:ss.mmm000Z`: the service shows microseconds, our clock has none. */
export function urlTimeText(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
