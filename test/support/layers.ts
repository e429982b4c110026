// Layers that tests publish, and requests about them.
import {
  type LambdaClient,
  ListLayersCommand,
  ListLayerVersionsCommand,
  PublishLayerVersionCommand,
  type PublishLayerVersionCommandInput,
} from '@aws-sdk/client-lambda';
import { type ZipContent, zipOf } from './bundle-fixtures.ts';

export const LAYER_ARN = 'arn:aws:lambda:us-east-1:000000000000:layer';

/** Publishes these files as the next version of a layer; returns its ARN. */
export async function publishLayer(
  client: LambdaClient,
  name: string,
  files: Readonly<Record<string, ZipContent>>,
  more: Partial<PublishLayerVersionCommandInput> = {},
): Promise<string> {
  const answer = await client.send(
    new PublishLayerVersionCommand({
      LayerName: name,
      Content: { ZipFile: await zipOf(files) },
      ...more,
    }),
  );
  if (answer.LayerVersionArn === undefined) throw new Error(`${name} has no ARN`);
  return answer.LayerVersionArn;
}

/** Everything that the API shows of all layers. */
export async function shownLayers(client: LambdaClient): Promise<unknown> {
  const { Layers = [] } = await client.send(new ListLayersCommand({}));
  const versions = await Promise.all(
    Layers.map(async ({ LayerName }) => {
      const { LayerVersions } = await client.send(new ListLayerVersionsCommand({ LayerName }));
      return LayerVersions;
    }),
  );
  return { Layers, versions };
}

/** `nodejs/node_modules/NAME` with one CommonJS file that exports this expression. */
export function commonJsPackage(
  name: string,
  expression: string,
): Readonly<Record<string, string>> {
  return packageFiles('nodejs/node_modules', name, 'commonjs', `module.exports = ${expression};`);
}

/** As {@link commonJsPackage}: an ES module with that expression as its default. */
export function esPackage(name: string, expression: string): Readonly<Record<string, string>> {
  return packageFiles('nodejs/node_modules', name, 'module', `export default ${expression};`);
}

/** A package of one file in any folder. */
export function packageFiles(
  folder: string,
  name: string,
  type: 'commonjs' | 'module',
  source: string,
): Readonly<Record<string, string>> {
  const sheet = { name, version: '1.0.0', type, exports: { '.': './lib/main.js' } };
  return {
    [`${folder}/${name}/package.json`]: JSON.stringify(sheet),
    [`${folder}/${name}/lib/main.js`]: source,
  };
}
