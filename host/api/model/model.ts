// The contract file, typed: what `lambda-model.json` holds, as it stands there. `contract.ts` resolves its names.
import model from './lambda-model.json' with { type: 'json' };

/** Where a member travels. `status` is the answer's HTTP status itself. */
export type MemberLocation = 'uri' | 'query' | 'header' | 'body' | 'payload' | 'status';

/** Constraints of a scalar, list or map. */
export interface ModelConstraints {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: boolean;
}

/** A member of an operation's input or output, with the location it is bound to. */
export interface ModelBoundMember extends ModelConstraints {
  readonly shape: string;
  readonly type: string;
  readonly in: MemberLocation;
  /** Label, query key or header name. */
  readonly wire?: string;
  readonly required?: boolean;
}

export type ModelShape =
  | (ModelConstraints & {
      readonly type: 'string' | 'integer' | 'long' | 'double' | 'boolean' | 'blob' | 'timestamp';
    })
  | (ModelConstraints & { readonly type: 'list'; readonly member: string })
  | (ModelConstraints & { readonly type: 'map'; readonly key: string; readonly value: string })
  | (ModelConstraints & {
      readonly type: 'structure';
      readonly eventStream?: boolean;
      readonly members: Readonly<
        Record<string, { readonly shape: string; readonly required?: boolean }>
      >;
    });

/** An operation's input or output. */
export interface ModelBinding {
  readonly shape: string;
  readonly members: Readonly<Record<string, ModelBoundMember>>;
}

export interface ModelOperation {
  readonly method: string;
  /** Route template, one `{Label}` per variable segment, without the fixed query. */
  readonly path: string;
  readonly fixedQuery?: Readonly<Record<string, string>>;
  readonly altPaths?: readonly string[];
  readonly status: number;
  readonly eventStream?: boolean;
  readonly input: ModelBinding;
  readonly output?: ModelBinding;
  /** Errors of its own; any operation may answer others as well. */
  readonly errors: readonly { readonly name: string; readonly status: number }[];
  readonly pagination?: { readonly maxPageSize: number };
}

export interface ModelError {
  readonly status: number;
  readonly fault: 'client' | 'server';
  readonly messageField: 'message' | 'Message';
  readonly modeled: boolean;
}

export interface LambdaModel {
  readonly validation: {
    readonly enumMessageOrder: Readonly<Record<string, readonly string[]>>;
    readonly runtimeMessageOrder: readonly string[];
    readonly layerRuntimeQueryMessageOrder: readonly string[];
  };
  readonly operations: Readonly<Record<string, ModelOperation>>;
  readonly errors: Readonly<Record<string, ModelError>>;
  readonly shapes: Readonly<Record<string, ModelShape>>;
}

// as: the compiler widens the literals of a JSON file to string; test/api/types.test.ts holds the file to this form
export const lambdaModel = model as unknown as LambdaModel;
