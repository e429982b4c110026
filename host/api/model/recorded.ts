// What recorded answers of the service say about validation beyond the model: one table per kind of departure.
import { lambdaModel } from './model.ts';

const { enumMessageOrder, runtimeMessageOrder, layerRuntimeQueryMessageOrder } =
  lambdaModel.validation;

/**
 * Enum members whose value the operation checks itself, with InvalidParameterValueException and a text of its own. Layer 1 takes
 * any string there. Keys are `InputShape.Member`.
 *
 * These look like layer 1 too, but need no entry because the model's own constraint is looser than the operation's: a bare
 * FunctionName above 64 characters (model: 140), MemorySize and Timeout above the account's limits (model: 32768 and 5400),
 * a missing StartingPosition (model: optional).
 */
export const uncheckedEnums: ReadonlySet<string> = new Set([
  'CreateFunctionRequest.Runtime',
  'UpdateFunctionConfigurationRequest.Runtime',
]);

/** Order of an enum inside messages, by shape. Other enums keep the order of the model. */
export const enumOrderByShape: Readonly<Record<string, readonly string[]>> = enumMessageOrder;

/** Order of an enum inside messages where one member differs from the rest of its shape; keys as above. */
export const enumOrderByMember: Readonly<Record<string, readonly string[]>> = {
  'PublishLayerVersionRequest.CompatibleRuntimes': runtimeMessageOrder,
  'ListLayersRequest.CompatibleRuntime': layerRuntimeQueryMessageOrder,
  'ListLayerVersionsRequest.CompatibleRuntime': layerRuntimeQueryMessageOrder,
};

/** Patterns that messages quote in another spelling than the model's; the model's decides. By shape. */
export const quotedPatterns: Readonly<Record<string, string>> = {
  NamespacedFunctionName: String.raw`(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`,
  TaggableResource: String.raw`arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)`,
  LayerVersionArn: String.raw`(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`,
};

/** Lists of enums whose failure names the enum set itself, not a constraint of their elements. By shape. */
export const plainEnumLists: ReadonlySet<string> = new Set(['CompatibleRuntimes']);

/** Lists whose element constraints do not end in `Member must not be null`. By shape. */
export const nullableElementLists: ReadonlySet<string> = new Set([
  'SubnetIds',
  'SecurityGroupIds',
  'CapacityProviderSubnetIds',
  'CapacityProviderSecurityGroupIds',
]);
