// The whole API on one screen: a family is one line. Invoke is answered by host/http/server.ts through api/invoke.ts.
import * as account from './account.ts';
import * as aliases from './alias.ts';
import * as capacityProviders from './capacity-provider.ts';
import * as codeSigning from './code-signing.ts';
import * as concurrency from './concurrency.ts';
import * as eventInvokeConfigs from './event-invoke-config.ts';
import * as functions from './function.ts';
import * as functionUrls from './function-url.ts';
import * as layers from './layer.ts';
import * as layerPolicies from './layer-policy.ts';
import * as functionList from './list-functions.ts';
import type { OperationName } from './model/types.ts';
import type { Operation } from './operation.ts';
import * as policies from './policy.ts';
import * as provisionedConcurrency from './provisioned-concurrency.ts';
import * as recursion from './recursion.ts';
import * as resourcePolicies from './resource-policy.ts';
import * as runtimeManagement from './runtime-management.ts';
import * as scaling from './scaling.ts';
import * as tags from './tags.ts';
import * as versions from './version.ts';

const families: readonly Readonly<Record<string, Operation>>[] = [
  functions,
  functionList,
  layers,
  layerPolicies,
  tags,
  versions,
  aliases,
  concurrency,
  provisionedConcurrency,
  account,
  policies,
  resourcePolicies,
  codeSigning,
  eventInvokeConfigs,
  runtimeManagement,
  recursion,
  scaling,
  capacityProviders,
  functionUrls,
];

/** Operations by name; one that is missing here is not available on this host yet. */
export const operations: ReadonlyMap<OperationName, Operation> = new Map(
  families.flatMap((family) => Object.values(family).map((each) => [each.name, each])),
);
