// The contract, compiled from the model once at start: one entry per operation. Immutable.
import { lambdaModel } from './model.ts';
import { ShapeCompiler } from './shape-compiler.ts';
import type { BoundStructure } from './shapes.ts';
import type { OperationName } from './types.ts';

export interface OperationContract {
  readonly name: OperationName;
  readonly method: string;
  readonly path: string;
  readonly fixedQuery: Readonly<Record<string, string>> | undefined;
  readonly altPaths: readonly string[];
  readonly status: number;
  /** The answer's body is an event stream, written by whoever serves it. */
  readonly eventStream: boolean;
  readonly input: BoundStructure;
  /** Undefined: the answer has no members. */
  readonly output: BoundStructure | undefined;
  /** The most items one page may hold; undefined for what is not a list. */
  readonly maxPageSize: number | undefined;
}

/** All operations of the contract, in the order of the model. */
export const contract: ReadonlyMap<OperationName, OperationContract> = compileContract();

/** The contract of one operation. */
export function contractOf(name: OperationName): OperationContract {
  const found = contract.get(name);
  if (found === undefined) throw new Error(`the model has no operation ${name}`);
  return found;
}

function compileContract(): ReadonlyMap<OperationName, OperationContract> {
  const compiler = new ShapeCompiler();
  const compiled = new Map<OperationName, OperationContract>();
  for (const [key, operation] of Object.entries(lambdaModel.operations)) {
    const name = key as OperationName; // as: OperationName is generated from these very keys
    compiled.set(name, {
      name,
      method: operation.method,
      path: operation.path,
      fixedQuery: operation.fixedQuery,
      altPaths: operation.altPaths ?? [],
      status: operation.status,
      eventStream: operation.eventStream ?? false,
      input: compiler.bound(operation.input),
      output: operation.output && compiler.bound(operation.output),
      maxPageSize: operation.pagination?.maxPageSize,
    });
  }
  return compiled;
}
