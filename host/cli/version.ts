// What `lambkin --version` prints.
import packageJson from '../../package.json' with { type: 'json' };

/** One line; as JSON with what a report of a fault should name. */
export function versionText(json: boolean): string {
  if (!json) return `lambkin ${packageJson.version}`;
  const { platform, arch, versions } = process;
  return JSON.stringify({
    lambkin: packageJson.version,
    node: versions.node,
    platform: `${platform}-${arch}`,
  });
}
